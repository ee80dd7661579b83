import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startProcess } from "@drydock/demo/stack/processes.ts";
import { memoryOf } from "../support/memory-of.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, startStack } from "../support/stack.ts";
import { timed } from "../support/until.ts";

/** How long the hostile clients go on, in seconds. */
const seconds = Number(process.env.DRYDOCK_TEST_HOSTILE_SECONDS ?? 20);
/** What another client's call may take, 99 of 100 times, in milliseconds; on a machine that has other things to do. */
const mostP99Ms = 250;
const mostMemoryMiB = 1024;

/** What was done, and how often. */
type Made = Array<[what: string, times: number]>;

interface Figures {
  getMs: number[];
  launchMs: number[];
  memoryMiB: number;
}

describe("hostile clients", { timeout: (seconds + 90) * 1_000 }, () => {
  test("hold up nobody else, and fill no memory, whatever they send", async (context) => {
    await using stack = await startStack();
    const controller = await stack.startController();
    const jobTypes = [plainType("HOSTILE")];
    const worker = await ScriptedWorker.join(controller.address, { jobTypes, slots: 0 });
    const hostile = await startProcess({
      name: "hostile clients",
      command: process.execPath,
      args: [join(import.meta.dirname, "..", "support", "hostile-main.ts"), controller.address],
    });
    try {
      const figures = await useNormally(controller, performance.now() + seconds * 1_000);
      hostile.signal("SIGTERM");
      const made = await hostile.findLine(readMade, AbortSignal.timeout(10_000));
      tell(context, figures, made);
      judge(figures, made);
    } finally {
      await hostile.kill();
      await worker.breakOff();
    }
    await seesOneGoThrough(controller);
  });
});

/** How often the hostile clients did what. */
function readMade(line: string): Made | undefined {
  return line.startsWith('{"msg":"made"') ? JSON.parse(line).made : undefined;
}

/** Another client, which does nothing unusual. */
async function useNormally({ api, process: { pid } }: Controller, until: number): Promise<Figures> {
  const figures: Figures = { getMs: [], launchMs: [], memoryMiB: 0 };
  const { id } = await api.launch("HOSTILE", {});
  while (performance.now() < until) {
    figures.launchMs.push(await timed(api.launch("HOSTILE", {})));
    figures.getMs.push(await timed(api.get(id)));
    figures.memoryMiB = Math.max(figures.memoryMiB, await memoryOf(pid));
    await wait(20);
  }
  return figures;
}

function judge({ getMs, launchMs, memoryMiB }: Figures, made: Made): void {
  assert.deepEqual(
    made.filter(([, times]) => times === 0),
    [],
    "every hostile client came to do something",
  );
  assert.ok(getMs.length > seconds, `GetJob was answered ${getMs.length} times`);
  assert.ok(p99Of(getMs) <= mostP99Ms, `p99 of GetJob: ${p99Of(getMs)} ms`);
  assert.ok(p99Of(launchMs) <= mostP99Ms, `p99 of LaunchJob: ${p99Of(launchMs)} ms`);
  assert.ok(memoryMiB <= mostMemoryMiB, `the controller took ${memoryMiB} MiB`);
}

function tell(context: TestContext, { getMs, launchMs, memoryMiB }: Figures, made: Made): void {
  for (const [what, all] of Object.entries({ GetJob: getMs, LaunchJob: launchMs })) {
    context.diagnostic(
      `${what}: ${all.length} calls, p99 ${p99Of(all)} ms, slowest ${Math.round(Math.max(...all))} ms`,
    );
  }
  context.diagnostic(`memory of the controller: ${memoryMiB} MiB at most`);
  for (const [what, times] of made) context.diagnostic(`${times} × ${what}`);
}

function p99Of(all: number[]): number {
  return Math.round(all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.99)] ?? Number.POSITIVE_INFINITY);
}

/** After all that a job still comes to its end. */
async function seesOneGoThrough({ api, address }: Controller): Promise<void> {
  const worker = await ScriptedWorker.join(address, { jobTypes: [plainType("AFTERWARDS")] });
  const { id } = await api.launch("AFTERWARDS", {});
  await worker.reports((await worker.takes()).lease);
  await api.untilStatus(id, "SUCCESS");
  await worker.leave();
}
