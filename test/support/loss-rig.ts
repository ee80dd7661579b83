import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Crew } from "./failure-crew.ts";
import { startFamilyWorker } from "./family-worker.ts";
import type { History, JobRecord } from "./history-record.ts";
import { HistoryRecorder } from "./history-recorder.ts";
import { startHookReceiver } from "./hook-receiver.ts";
import type { JobApi } from "./job-api.ts";
import { checkHistory } from "./job-history.ts";
import { Keeper } from "./keeper.ts";
import type { LossOptions } from "./losses.ts";
import { putMixedLoad } from "./mixed-load.ts";
import { createRandom } from "./random.ts";
import { startStack } from "./stack.ts";

const users = 6;
const forMs = 20_000;
/** The last losses have some time before the load ends. */
const lossesForMs = 15_000;
/** A hook whose controller died in a delivery is told again after 20 s. */
const settleWithinMs = 50_000;

/**
 * Two controllers on one Redis and three workers under a mixed load while something is lost again and again; then all
 * must come to its end, and history and Redis must be sound. The test's output has the seed and what happened.
 */
export async function surviveLosses(test: TestContext, lose: (options: LossOptions) => Promise<number>): Promise<void> {
  const random = createRandom();
  const shards = random.pick(1, 3);
  test.diagnostic(`TEST_SEED=${random.seed}, shards: ${shards}`);
  // what was answered is on the disk, so that no kill can lose it
  await using stack = await startStack("always");
  await using hooks = await startHookReceiver();
  const controllerSettings = { DRYDOCK_SHARDS: String(shards) };
  const startController = () => stack.startController(controllerSettings);
  const [a, b] = await Promise.all([startController(), startController()]);
  const settings = { DRYDOCK_CONTROLLER: `ipv4:${a.address},${b.address}`, DRYDOCK_SLOTS: "8" };
  const crew = new Crew(stack);
  for (const id of ["a", "b", "c"]) await crew.hire(id, a, settings);
  const recorder = new HistoryRecorder([a.api, b.api], hooks);
  await using keeper = await Keeper.start(settings.DRYDOCK_CONTROLLER);
  const noteReport = (jobId: string, reportId: string) => recorder.noteReport(jobId, reportId);
  const family = await startFamilyWorker(settings.DRYDOCK_CONTROLLER, noteReport);
  try {
    const { history } = recorder;
    const [losses] = await Promise.all([
      lose({
        stack,
        controllers: [a, b],
        controllerSettings,
        crew,
        keeper,
        settings,
        random,
        recorder,
        forMs: lossesForMs,
      }),
      putMixedLoad({ recorder, random, hookUrl: hooks.url, users, forMs }),
    ]);
    await recorder.settle(settleWithinMs);
    for (const { jobId, event } of keeper.events()) recorder.noteCheckpoint(jobId, event);
    test.diagnostic(`${losses} losses, ${recorder.repeats} calls repeated; ${summaryOf(history)}`);
    assert.deepEqual(checkHistory(history), []);
    await seesWholeFamilies(a.api);
    assert.ok(losses > 1 && history.jobs.size > 50, "it was worth the while");
    const records = [...history.jobs.values()];
    for (const [what, has] of Object.entries(parts)) assert.ok(records.some(has), `no job ${what}`);
  } finally {
    await family.stop(AbortSignal.timeout(5_000));
  }
}

/** Each of these must be true of some job, or the history proves nothing about it. */
const parts: Record<string, (record: JobRecord) => boolean> = {
  "told its hook": ({ deliveries }) => deliveries.length > 0,
  "was watched": ({ watches }) => watches.some((reported) => reported.length > 1),
  "was read in its log": ({ logReads }) => logReads.length > 1,
  "stored a report": ({ report }) => report.acknowledged !== undefined,
  "went on from its checkpoint": ({ checkpoints }) =>
    checkpoints.some(({ kind, text }) => kind === "read" && text !== ""),
  "was stopped while it ran": ({ ends }) => ends.length > 0,
  "was retried": ({ retries }) => retries > 0,
};

/** A job of FAMILY has launched at most three others, and all three if it succeeded. */
async function seesWholeFamilies(api: JobApi): Promise<void> {
  const jobs = await api.list();
  const parents = jobs.filter(({ name }) => name === "FAMILY");
  assert.ok(parents.length > 0);
  for (const { id, status } of parents) {
    const count = jobs.filter(({ upstreamJobId }) => upstreamJobId === id).length;
    assert.ok(status === "SUCCESS" ? count === 3 : count <= 3, `${id} is ${status} and launched ${count} jobs`);
  }
}

/** How many jobs there were, where they ended, and what was told of them. */
function summaryOf({ jobs }: History): string {
  const records = [...jobs.values()];
  const ends = new Map<string, number>();
  for (const { sightings } of records) {
    const { status = "" } = sightings.at(-1) ?? {};
    ends.set(status, (ends.get(status) ?? 0) + 1);
  }
  const sum = (count: (record: (typeof records)[number]) => number) =>
    records.reduce((total, record) => total + count(record), 0);
  return [
    `${jobs.size} jobs`,
    ...[...ends].map(([status, count]) => `${count} ${status}`),
    `${sum(({ retries }) => retries)} retries`,
    `${sum(({ sightings }) => sightings.length)} sightings`,
    `${sum(({ deliveries }) => deliveries.length)} hook requests`,
    `${sum(({ runs }) => runs?.length ?? 0)} runs`,
    `${sum(({ logReads }) => logReads.length)} pieces of logs`,
    `${sum(({ report }) => (report.acknowledged === undefined ? 0 : 1))} reports`,
  ].join(", ");
}
