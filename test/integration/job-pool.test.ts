import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { createJobId } from "@drydock/job-controller/domain/job-id.ts";
import type { JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import { newReport } from "../support/new-report.ts";
import {
  demoJob,
  demoTypes,
  type PoolUnderTest,
  passingFailure,
  startJob,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

describe("the pool in Redis", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(async () => {
    under.jitter.next = 0;
    await under.redis.flushall();
  });

  const statusOf = async (jobId: string): Promise<JobStatus> => (await under.pool.get(jobId)).status;

  test("hands jobs out in the order in which they came", async () => {
    const { pool } = under;
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push((await pool.launch(demoJob)).id);
    await pool.hello(workerNamed("w1"), workerInfo, []);
    const first = await pool.claim(workerNamed("w1"), demoTypes, 3);
    const second = await pool.claim(workerNamed("w1"), demoTypes, 3);
    assert.deepEqual(
      [...first.jobs, ...second.jobs].map(({ id }) => id),
      ids,
    );
    assert.deepEqual([first.more, second.more], [true, false]);
  });

  test("gives no job to a worker that has not said hello", async () => {
    await under.pool.launch(demoJob);
    await assert.rejects(under.pool.claim(workerNamed("nobody"), demoTypes, 1), { reason: "LEASE_LOST" });
  });

  test("skips jobs that were stopped while they waited", async () => {
    const { pool } = under;
    const stopped = await pool.launch(demoJob);
    const next = await pool.launch(demoJob);
    await pool.end(stopped.id, "stop");
    await pool.hello(workerNamed("w1"), workerInfo, []);
    const { jobs } = await pool.claim(workerNamed("w1"), demoTypes, 1);
    assert.deepEqual(
      jobs.map(({ id }) => id),
      [next.id],
    );
  });

  test("says duplicate to a result that it has, and stale to one of a lost lease", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    assert.equal(await pool.succeed(lease, {}), "accepted");
    assert.equal(await pool.succeed(lease, {}), "duplicate");

    const lost = await startJob(under);
    clock.advance(15_001);
    await pool.reap();
    assert.equal(await pool.succeed(lost, {}), "stale");
    assert.equal(await statusOf(lost.jobId), "PENDING");
  });

  test("takes nothing from a worker whose lease is lost: no check-in, log, report, sub-job or result", async () => {
    const { pool, logs, reports, clock } = under;
    const lease = await startJob(under);
    clock.advance(15_001);
    await pool.reap();
    const again = await startJob(under, workerNamed("w2")).catch(() => undefined);
    assert.equal(again, undefined, "the lost job comes first");
    const refused = { reason: "LEASE_LOST" };
    await assert.rejects(pool.checkIn(lease, { text: "still here" }), refused);
    await assert.rejects(logs.append(lease, 0, "a line\n"), refused);
    await assert.rejects(reports.put(lease, newReport(lease.jobId, "sha256:1", Buffer.from("x"))), refused);
    await assert.rejects(pool.launchSubJob(lease, "1", demoJob), refused);
    assert.equal(await pool.fail(lease, passingFailure, {}), "stale");
    assert.equal(await pool.confirm(lease, "stop"), "stale");
    assert.equal(await pool.release(lease), "stale");
    const job = await pool.get(lease.jobId);
    assert.equal(job.status, "RUNNING");
    assert.equal(job.checkIn, "");
  });

  test("puts the job of a lost worker at the front of its queue and uses no attempt", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    await pool.launch(demoJob);
    clock.advance(15_001);
    await pool.reap();
    await pool.hello(workerNamed("w2"), workerInfo, []);
    const { jobs } = await pool.claim(workerNamed("w2"), demoTypes, 1);
    assert.equal(jobs[0]?.id, lease.jobId);
    assert.equal(jobs[0]?.attempt, 1);
    assert.equal((await pool.get(lease.jobId)).crashes, 1);
  });

  test("keeps a job whose worker was lost while it was to be stopped from running again", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    await pool.end(lease.jobId, "stop");
    clock.advance(15_001);
    await pool.reap();
    assert.equal(await statusOf(lease.jobId), "STOPPED");
  });

  test("frees the jobs of a worker's former process when a new one says hello", async () => {
    const { pool } = under;
    const lease = await startJob(under, workerNamed("w1", "first"));
    await pool.hello(workerNamed("w1", "second", "s2"), workerInfo, []);
    assert.equal(await statusOf(lease.jobId), "PENDING");
    await assert.rejects(pool.beat(workerNamed("w1", "first"), [lease]), { reason: "WORKER_SUPERSEDED" });
    await assert.rejects(pool.claim(workerNamed("w1", "first"), demoTypes, 1), { reason: "WORKER_SUPERSEDED" });
  });

  test("lets a worker that reconnects keep what it names and frees what it does not", async () => {
    const { pool } = under;
    const kept = await startJob(under);
    const unaccepted = await startJob(under, workerNamed("w1"), [kept]);
    const foreign = { jobId: "1jd5m9q2c00000", token: 1 };
    const reply = await pool.hello(workerNamed("w1", "first", "s2"), workerInfo, [kept, foreign]);
    assert.deepEqual(reply, { keep: [kept], drop: [foreign], commands: [], drain: false });
    assert.equal(await statusOf(kept.jobId), "RUNNING");
    assert.equal(await statusOf(unaccepted.jobId), "PENDING");
    assert.equal((await pool.get(unaccepted.jobId)).crashes, 0);
  });

  test("keeps a worker's jobs as long as it beats", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    for (let i = 0; i < 5; i++) {
      clock.advance(10_000);
      await pool.beat(workerNamed("w1"), [lease]);
      assert.equal((await pool.reap()).count, 0);
    }
    assert.equal(await pool.succeed(lease, {}), "accepted");
  });

  test("takes back what a beat does not name, once it had the time to arrive", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    await pool.beat(workerNamed("w1"), []);
    assert.equal(await statusOf(lease.jobId), "RUNNING");
    clock.advance(5_001);
    await pool.beat(workerNamed("w1"), []);
    assert.equal(await statusOf(lease.jobId), "PENDING");
  });

  test("repeats a stop in every beat, and ends the job of a worker that never obeys", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    await pool.end(lease.jobId, "stop");
    for (let i = 0; i < 2; i++) {
      clock.advance(5_000);
      const { commands } = await pool.beat(workerNamed("w1"), [lease]);
      const { jobId, token } = lease;
      assert.deepEqual(commands, [{ lease: { jobId, token }, command: "stop" }]);
    }
    clock.advance(5_001);
    assert.deepEqual(await pool.beat(workerNamed("w1"), [lease]), { lost: [lease], commands: [], drain: false });
    assert.equal(await statusOf(lease.jobId), "STOPPED");
    assert.equal(await pool.succeed(lease, {}), "stale");
  });

  test("takes a stop over a cancel, and a failure that comes meanwhile does not bring the job back", async () => {
    const { pool } = under;
    const lease = await startJob(under);
    assert.equal((await pool.end(lease.jobId, "cancel")).command, "cancel");
    assert.equal((await pool.end(lease.jobId, "stop")).command, "stop");
    assert.equal((await pool.end(lease.jobId, "cancel")).command, "stop");
    await pool.fail(lease, passingFailure, {});
    assert.equal(await statusOf(lease.jobId), "STOPPED");
  });

  test("cuts the lease when a stream breaks, unless a newer stream has taken over", async () => {
    const { pool, clock } = under;
    const lease = await startJob(under);
    await pool.hello(workerNamed("w1", "first", "s2"), workerInfo, [lease]);
    await pool.disconnect(workerNamed("w1", "first", "s1"), []);
    clock.advance(5_001);
    assert.equal((await pool.reap()).count, 0);

    await pool.disconnect(workerNamed("w1", "first", "s2"), []);
    clock.advance(5_001);
    assert.equal((await pool.reap()).count, 1);
  });

  test("waits longer after each failure, never longer than the cap, and gives up after the attempts allowed", async () => {
    const { pool, clock, jitter } = under;
    const lease = await startJob(under);
    const policy = { ...passingFailure, retry: 0, backoff: { baseMs: 1_000, capMs: 1_500 } };
    const token = { ...lease };
    for (const [attempt, nextJitter, waitMs] of [
      [1, 1, 1_000],
      [2, 1, 1_500],
      [3, 0.5, 750],
    ] as const) {
      jitter.next = nextJitter;
      await pool.fail(token, policy, {});
      const job = await pool.get(lease.jobId);
      assert.deepEqual([job.status, job.runAt], ["SCHEDULED", clock.now() + waitMs]);
      assert.equal(job.lastError?.attempt, attempt);
      clock.advance(waitMs);
      await pool.promote();
      const { jobs } = await pool.claim(workerNamed("w1"), demoTypes, 1);
      token.token = jobs[0]?.token ?? 0;
    }
    await pool.fail(token, policy, {});
    assert.equal(await statusOf(lease.jobId), "ERROR");
    const retried = await pool.retry(lease.jobId);
    assert.deepEqual([retried.status, retried.attempt], ["PENDING", 0]);
    assert.equal(await pool.fail(token, policy, {}), "stale");
  });

  test("a beat forgets what the worker is said to hold when there is no such job", async () => {
    const { pool, redis, clock } = under;
    const worker = workerNamed("w1");
    const held = await startJob(under, worker);
    const [unnamed, overdue] = [createJobId(clock.now(), 0), createJobId(clock.now(), 0)];
    await redis.hset("{drydock:0}:held:w1", unnamed, "1", overdue, "1:1:1");
    const gone = { jobId: overdue, token: 1 };
    assert.deepEqual(await pool.beat(worker, [held, gone]), { lost: [gone], commands: [], drain: false });
    assert.deepEqual(await redis.hkeys("{drydock:0}:held:w1"), [held.jobId]);
  });

  test("gives the same sub-job for the same key, and links it both ways", async () => {
    const { pool } = under;
    const lease = await startJob(under);
    const child = await pool.launchSubJob(lease, "1", demoJob);
    const again = await pool.launchSubJob(lease, "1", demoJob);
    const other = await pool.launchSubJob(lease, "2", demoJob);
    assert.equal(child.id, again.id);
    assert.equal(child.upstreamJobId, lease.jobId);
    assert.deepEqual((await pool.get(lease.jobId)).executions, [child.id, other.id]);
  });

  test("never lets the time of a job's update go back, though the clocks of controllers differ", async () => {
    const { id, updatedAt } = await under.pool.launch(demoJob);
    under.clock.advance(-1_000);
    const behind = await under.pool.end(id, "cancel");
    under.clock.advance(2_000);
    const ahead = await under.pool.retry(id);
    assert.deepEqual([behind.updatedAt - updatedAt, ahead.updatedAt - updatedAt], [0, 1_000]);
  });

  test("counts the jobs of each type and status exactly", async () => {
    const { pool } = under;
    const held = [await startJob(under)];
    await pool.fail(await startJob(under, workerNamed("w1"), held), passingFailure, {});
    await pool.succeed(await startJob(under, workerNamed("w1"), held), {});
    await pool.launch(demoJob);
    const [queue] = await under.queues.queues();
    assert.deepEqual([queue?.pending, queue?.running, queue?.scheduled], [1, 1, 1]);
    assert.equal((await pool.workers())[0]?.running, 1);
  });
});

describe("a pool of four shards", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool({ shards: 4 });
  });
  after(() => under.stop());

  test("spreads the jobs, hands out all of them, and keeps each worker's lease in every shard", async () => {
    const { pool, clock } = under;
    const worker = workerNamed("w1");
    await pool.hello(worker, workerInfo, []);
    const ids = new Set<string>();
    for (let i = 0; i < 40; i++) ids.add((await pool.launch(demoJob)).id);
    assert.equal(new Set([...ids].map((id) => id.charAt(9))).size, 4);
    const { jobs } = await pool.claim(worker, demoTypes, 100);
    assert.deepEqual(new Set(jobs.map(({ id }) => id)), ids);
    const held = jobs.map(({ id, token }) => ({ jobId: id, token }));
    clock.advance(10_000);
    assert.deepEqual(await pool.beat(worker, held), { lost: [], commands: [], drain: false });
    clock.advance(15_001);
    assert.equal((await pool.reap()).count, 40);
    const [queue] = await under.queues.queues();
    assert.deepEqual([queue?.pending, queue?.running], [40, 0]);
  });
});
