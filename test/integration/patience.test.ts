import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import type { Verdict } from "@drydock/job-controller/ports/job-pool.ts";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import {
  aSecond,
  demoTypes,
  leaseOf,
  type PoolUnderTest,
  passingFailure,
  startJob,
  startPool,
  workerNamed,
} from "../support/pool.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const worker = workerNamed("w1");
const hourMs = 3_600_000;
const away = {
  ...aSecond,
  delayMs: 60_000,
  patienceMs: hourMs,
  reason: "SCANNER_UNREACHABLE",
  message: "Clair does not answer",
};

describe("the patience with a postponed job", () => {
  let under: PoolUnderTest;
  let lease: HeldLease;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    lease = await startJob(under, worker);
  });

  const job = () => under.pool.get(lease.jobId);
  const postpone = (more: Partial<typeof away> = {}): Promise<Verdict> =>
    under.pool.postpone(lease, { ...away, ...more }, { text: away.message });
  /** Lets the job run again after that time. */
  const runAgain = async (afterMs: number) => {
    under.clock.advance(afterMs);
    await under.pool.promote();
    const { jobs } = await under.pool.claim(worker, demoTypes, 1);
    lease = leaseOf({ id: lease.jobId, token: jobs[0]?.token ?? assert.fail("it did not run again") });
  };

  test("begins with the first postponement and lasts over further ones; then the true cause is the error", async () => {
    const begun = under.clock.now();
    for (let passed = 0; passed <= hourMs; passed += away.delayMs) {
      assert.equal(await postpone(), "accepted");
      const { status, attempt, postponedSince, lastError } = await job();
      assert.deepEqual([status, attempt, postponedSince, lastError], ["SCHEDULED", 0, begun, undefined]);
      await runAgain(away.delayMs);
    }
    assert.equal(await postpone(), "accepted");
    const { status, lastError, postponedSince, endedAt } = await job();
    const { reason, message } = away;
    assert.deepEqual([status, endedAt, postponedSince], ["ERROR", under.clock.now(), 0]);
    assert.deepEqual(lastError, { reason, message, attempt: 1, at: under.clock.now() });
    assert.equal(await postpone(), "duplicate");
  });

  test("begins anew when a run ended in another way: by a failure, by RetryJob", async () => {
    await postpone();
    await runAgain(hourMs);
    await under.pool.fail(lease, passingFailure, {});
    assert.equal((await job()).postponedSince, 0);
    await runAgain(passingFailure.retry as number);
    await postpone();
    assert.equal((await job()).postponedSince, under.clock.now());
    await under.pool.end(lease.jobId, "cancel");
    assert.equal((await job()).postponedSince, 0);
    await under.pool.retry(lease.jobId);
    await runAgain(hourMs);
    await postpone();
    assert.deepEqual([(await job()).status, (await job()).postponedSince], ["SCHEDULED", under.clock.now()]);
  });

  test("goes on when the job is given back or its worker is lost: that says nothing about what it waits for", async () => {
    const begun = under.clock.now();
    await postpone();
    await runAgain(away.delayMs);
    await under.pool.release(lease);
    await runAgain(0);
    await under.pool.leave(worker);
    assert.equal((await job()).postponedSince, begun);
  });

  test("is without end when none is given", async () => {
    for (let at = 0; at < 3; at++) {
      await under.pool.postpone(lease, { ...away, patienceMs: undefined }, {});
      const { status, postponedSince } = await job();
      assert.deepEqual([status, postponedSince], ["SCHEDULED", 0]);
      await runAgain(100 * hourMs);
    }
  });

  test("does not outdo a stop", async () => {
    await postpone({ patienceMs: 0 });
    await runAgain(away.delayMs);
    await under.pool.end(lease.jobId, "stop");
    await postpone({ patienceMs: 0 });
    assert.equal((await job()).status, "STOPPED");
  });
});

describe("a job that is postponed with a patience", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig();
  });
  after(() => rig.stop());

  test("says in its check-in since when it waits, and for what; it ends with that when its patience is over", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const duration = (ms: number) => ({ seconds: 0, nanos: ms * 1_000_000 });
    const result = { outcome: Outcome.OUTCOME_POSTPONED, reason: away.reason, message: away.message };
    const { lease } = await worker.takeJob();
    await worker.reports(lease, { ...result, retryAfter: duration(300), patience: duration(100) });
    const waiting = await rig.api.get(id);
    assert.match(waiting.checkIn, /^waits since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: Clair does not answer$/);
    const again = await worker.takeJob();
    assert.equal((await rig.api.get(id)).checkIn, away.message, "it runs");
    await worker.reports(again.lease, { ...result, retryAfter: duration(300), patience: duration(100) });
    const { status, lastError, checkIn } = await rig.api.get(id);
    assert.deepEqual([status, lastError?.reason, lastError?.message], ["ERROR", away.reason, away.message]);
    assert.equal(checkIn, away.message);
  });
});
