import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { FailingProxy } from "./failing-proxy.ts";
import type { SeenJob } from "./job-api.ts";
import type { ScanStack } from "./scan-stack.ts";
import { until } from "./until.ts";

/** Longer than four attempts and their waits take, in milliseconds. */
const outageMs = 60_000;
/** How long the last scan may take once all is back, in milliseconds. */
const recoveryMs = 30_000;

/** Launches scans of one image. Gives their ids. */
export async function launchScans(scene: ScanStack, count: number): Promise<ReadonlySet<string>> {
  const launched = await Promise.all(Array.from({ length: count }, () => scene.launch("library/debian", "11")));
  return new Set(launched.map(({ id }) => id));
}

/** Waits until all are SUCCESS, and looks that each was so in its first attempt. */
export async function succeedAtFirst(scene: ScanStack, ids: ReadonlySet<string>, withinMs: number): Promise<void> {
  const counts = () => countStatuses(scene, ids);
  await until("all scans are SUCCESS", counts, ({ SUCCESS }) => SUCCESS === ids.size, { withinMs, everyMs: 250 });
  for (const { attempt } of await jobsOf(scene, ids)) assert.equal(attempt, 1);
}

/** A service that a worker reaches by this variable is away for a minute while a hundred scans wait. */
export async function surviveOutage(scene: ScanStack, variable: string, url: string): Promise<void> {
  await using proxy = await FailingProxy.start(url);
  const worker = await scene.startWorker({ [variable]: proxy.url });
  assert.equal((await scene.scan("library/debian", "11")).status, "SUCCESS");
  proxy.away();
  const ids = await launchScans(scene, 100);
  await wait(outageMs);
  assert.ok(proxy.refused < outageMs / 1_000, `${proxy.refused} requests`);
  const { ERROR, SUCCESS } = await countStatuses(scene, ids);
  assert.deepEqual([ERROR, SUCCESS], [undefined, undefined]);
  proxy.back();
  await succeedAtFirst(scene, ids, recoveryMs);
  const told = (text: string) => worker.log().split(text).length - 1;
  assert.deepEqual([told("taking no more jobs of this type"), told("taking them again")], [1, 1]);
}

async function countStatuses(scene: ScanStack, ids: ReadonlySet<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of await jobsOf(scene, ids)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function jobsOf(scene: ScanStack, ids: ReadonlySet<string>): Promise<SeenJob[]> {
  return (await scene.api.list()).filter(({ id }) => ids.has(id));
}
