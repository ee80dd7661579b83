import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startProcess } from "@drydock/demo/stack/processes.ts";
import { memoryOf } from "../support/memory-of.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, startStack } from "../support/stack.ts";
import { timed, until } from "../support/until.ts";

/** How long the hostile clients go on, in seconds. */
const seconds = Number(process.env.DRYDOCK_TEST_HOSTILE_SECONDS ?? 20);
/** What 99 of 100 calls of another client may take, in milliseconds. */
const maxP99Ms = 100;
/** On a busy machine as many times the p99 of a controller that nobody attacks: others take the processors from both. */
const maxP99Times = 15;
const maxMemoryMiB = 1024;

/** What was done, and how often. */
type Made = Array<[what: string, times: number]>;

interface Figures {
  getMs: number[];
  launchMs: number[];
  /** Of the controller that nobody attacks: what the machine takes for itself and others. */
  calmMs: number[];
  memoryMiB: number;
}

describe("hostile clients", { timeout: (seconds + 150) * 1_000 }, () => {
  test("hold up nobody else, and fill no memory, whatever they send", async (context) => {
    await using stack = await startStack();
    await using calmStack = await startStack();
    const [controller, calm] = await Promise.all([stack.startController(), calmStack.startController()]);
    const jobTypes = [plainType("HOSTILE")];
    const worker = await ScriptedWorker.join(controller.address, { jobTypes, slots: 0 });
    const calmWorker = await ScriptedWorker.join(calm.address, { jobTypes, slots: 0 });
    const hostile = await startProcess({
      name: "hostile clients",
      command: process.execPath,
      args: [join(import.meta.dirname, "..", "support", "hostile-main.ts"), controller.address],
    });
    try {
      await hostile.findLine((line) => line.includes('"all at work"') || undefined, AbortSignal.timeout(60_000));
      const figures = await useNormally(controller, calm, performance.now() + seconds * 1_000);
      hostile.signal("SIGTERM");
      const made = await hostile.findLine(readMade, AbortSignal.timeout(45_000));
      tell(context, figures, made);
      judge(figures, made);
    } finally {
      await hostile.kill();
      await Promise.all([worker, calmWorker].map((each) => each.breakOff()));
    }
    await seesOneGoThrough(controller);
  });
});

/** How often the hostile clients did what. */
function readMade(line: string): Made | undefined {
  return line.startsWith('{"msg":"made"') ? JSON.parse(line).made : undefined;
}

/** Another client, which does nothing unusual, with both controllers. */
async function useNormally({ api, process: { pid } }: Controller, calm: Controller, until: number): Promise<Figures> {
  const figures: Figures = { getMs: [], launchMs: [], calmMs: [], memoryMiB: 0 };
  const [{ id }, { id: calmId }] = await Promise.all([api.launch("HOSTILE", {}), calm.api.launch("HOSTILE", {})]);
  while (performance.now() < until) {
    figures.launchMs.push(await timed(api.launch("HOSTILE", {})));
    figures.getMs.push(await timed(api.get(id)));
    figures.calmMs.push(await timed(calm.api.get(calmId)));
    figures.memoryMiB = Math.max(figures.memoryMiB, await memoryOf(pid));
    await wait(20);
  }
  return figures;
}

function judge({ getMs, launchMs, calmMs, memoryMiB }: Figures, made: Made): void {
  assert.deepEqual(
    made.filter(([, times]) => times === 0),
    [],
    "every hostile client came to do something",
  );
  assert.ok(getMs.length > seconds, `GetJob was answered ${getMs.length} times`);
  const most = Math.max(maxP99Ms, maxP99Times * p99Of(calmMs));
  assert.ok(p99Of(getMs) <= most, `p99 of GetJob: ${p99Of(getMs)} ms of ${most} ms`);
  assert.ok(p99Of(launchMs) <= most, `p99 of LaunchJob: ${p99Of(launchMs)} ms of ${most} ms`);
  assert.ok(memoryMiB <= maxMemoryMiB, `the controller took ${memoryMiB} MiB`);
}

function tell(context: TestContext, { getMs, launchMs, calmMs, memoryMiB }: Figures, made: Made): void {
  const calls = { GetJob: getMs, LaunchJob: launchMs, "GetJob of the controller that nobody attacks": calmMs };
  for (const [what, all] of Object.entries(calls)) {
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
  const jobTypes = [plainType("AFTERWARDS")];
  // a worker that is refused as too much is open comes again; what the hostile clients had open is closed one by one
  const worker = await until(
    "there is room for a worker",
    () => ScriptedWorker.join(address, { jobTypes }).catch(() => undefined),
    (joined) => joined !== undefined,
  );
  assert.ok(worker !== undefined);
  const { id } = await api.launch("AFTERWARDS", {});
  await worker.reports((await worker.takeJob()).lease);
  await api.untilStatus(id, "SUCCESS");
  await worker.leave();
}
