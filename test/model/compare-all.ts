import assert from "node:assert/strict";
import { audit, auditUniqueKeys } from "../support/audit.ts";
import { type PoolUnderTest, readReport } from "../support/pool.ts";
import type { ModelPool } from "./state.ts";

/** Compares what is seen only from outside the jobs: the lists, the queues, the workers, logs, reports and failed hooks. */
export async function compareAll(under: PoolUnderTest, model: ModelPool): Promise<void> {
  for (const shard of under.shards) assert.deepEqual(await audit(under.redis, shard), []);
  assert.deepEqual(await auditUniqueKeys(under.redis), []);
  await compareLists(under, model);
  await compareQueues(under, model);
  await compareWorkers(under, model);
  await compareUploads(under, model);
  await compareFailedHooks(under, model);
}

/** Each list is compared as a whole: what is missing is a fault, and so is what nobody knows of. */
async function compareLists({ index }: PoolUnderTest, { jobs }: ModelPool): Promise<void> {
  const listed: string[] = [];
  let from = "";
  do {
    const page = await index.list({ kind: "all" }, { from, limit: 100, includeParameters: false });
    listed.push(...page.jobs.map(({ id }) => id));
    from = page.next;
  } while (from !== "");
  assert.deepEqual(listed.sort(), [...jobs.keys()].sort());
}

async function compareQueues({ queues }: PoolUnderTest, model: ModelPool): Promise<void> {
  const actual = (await queues.queues()).map(({ name, pending, running, scheduled, paused }) => {
    return { name, pending, running, scheduled, paused };
  });
  const expected = [...model.names].sort().map((name) => {
    const ofName = (status: string) =>
      [...model.jobs.values()].filter((job) => job.name === name && job.status === status);
    const [pending, running, scheduled] = [ofName("PENDING"), ofName("RUNNING"), ofName("SCHEDULED")].map(
      (all) => all.length,
    );
    return { name, pending, running, scheduled, paused: model.paused.has(name) };
  });
  assert.deepEqual(actual, expected);
}

async function compareWorkers({ pool }: PoolUnderTest, model: ModelPool): Promise<void> {
  const actual = (await pool.workers()).map(({ workerId, running, leaseEndsAt }) => ({
    workerId,
    running,
    leaseEndsAt,
  }));
  const alive = [...model.workers].filter(([, { leaseEndsAt }]) => leaseEndsAt >= model.now);
  const expected = alive.map(([workerId, { leaseEndsAt }]) => {
    return { workerId, running: model.heldBy(workerId).length, leaseEndsAt };
  });
  assert.deepEqual(
    actual,
    expected.sort((a, b) => (a.workerId < b.workerId ? -1 : 1)),
  );
}

async function compareUploads({ logs, reports, redis, shards }: PoolUnderTest, model: ModelPool): Promise<void> {
  for (const { id, log, checkpoint } of model.jobs.values()) {
    assert.deepEqual(await logs.read(id, 0), { text: log.toString(), nextOffset: log.length });
    const key = `{drydock:${shards.ofJob(id).number}}:checkpoint:${id}`;
    assert.equal((await redis.get(key)) ?? "", checkpoint);
  }
  for (const [id, text] of model.reports) assert.equal(String(await readReport(reports, id)), text);
  for (const id of model.jobs.keys()) {
    if (!model.reports.has(id)) assert.equal(await readReport(reports, id), undefined);
  }
  for (const [digest, id] of model.newestReports) {
    assert.deepEqual(
      (await reports.newestOf(digest)).map(({ reportId }) => reportId),
      id === undefined ? [] : [id],
    );
  }
}

/** A job whose hook was given up, in whole or in part, is among the failed ones, with all that it was not told. */
async function compareFailedHooks({ hooks }: PoolUnderTest, model: ModelPool): Promise<void> {
  const isGivenUp = ({ hookStatus }: { hookStatus: string }) => hookStatus === "FAILED" || hookStatus === "GONE";
  const actual = (await hooks.failed("", 1_000)).filter(isGivenUp);
  const expected = [...model.jobs.values()].map((job) => ({ job, shown: model.show(job) }));
  assert.deepEqual(
    actual.map(({ jobId, hookStatus, events }) => ({ jobId, hookStatus, events })),
    expected
      .filter(({ shown }) => isGivenUp(shown))
      .map(({ job, shown }) => ({ jobId: job.id, hookStatus: shown.hookStatus, events: job.hook?.failed.length }))
      .sort((a, b) => (a.jobId < b.jobId ? 1 : -1)),
  );
}
