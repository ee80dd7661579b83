import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { type JobEvent, type JobStatus, jobStatuses, transitions } from "@drydock/job-controller/domain/job-state.ts";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import {
  aSecond,
  demoTypes,
  leaseOf,
  type PoolUnderTest,
  passingFailure,
  startJob,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const worker = workerNamed("w1");
const refusal = { patienceMs: undefined, reason: "ACCESS_DENIED", message: "not you" };

/** Ways for a new job to each status. */
const ways: Record<JobStatus, (under: PoolUnderTest, lease: HeldLease) => Promise<unknown>> = {
  RUNNING: async () => {},
  PENDING: ({ pool }, lease) => pool.release(lease),
  SCHEDULED: ({ pool }, lease) => pool.fail(lease, passingFailure, {}),
  STOPPED: ({ pool }, lease) => pool.confirm(lease, "stop"),
  CANCELLED: ({ pool }, lease) => pool.confirm(lease, "cancel"),
  ERROR: ({ pool }, lease) => pool.fail(lease, { ...passingFailure, retry: "never" }, {}),
  SUCCESS: ({ pool }, lease) => pool.succeed(lease, {}),
};

type LaunchEvent = "launch" | "launch for later";
/** Events that depend on what the launch said; pool-features and periodic-jobs test them. */
type OptionalEvent = "waited too long" | "schedule over";

/** What each event of the table is done with. */
const events: Record<
  Exclude<JobEvent, LaunchEvent | OptionalEvent>,
  (under: PoolUnderTest, lease: HeldLease) => Promise<unknown>
> = {
  due: async ({ pool, clock }) => {
    clock.advance(passingFailure.retry as number);
    await pool.beat(worker, []).catch(() => {});
    return pool.promote();
  },
  claim: ({ pool }) => pool.claim(worker, demoTypes, 10),
  success: ({ pool }, lease) => pool.succeed(lease, {}),
  "failure, to be tried again": ({ pool }, lease) => pool.fail(lease, passingFailure, {}),
  "failure, for good": ({ pool }, lease) => pool.fail(lease, { ...passingFailure, retry: "never" }, {}),
  postponed: ({ pool }, lease) => pool.postpone(lease, aSecond, {}),
  "postponed for longer than its patience": outlastPatience,
  "refused to the worker": async ({ pool }, lease) => {
    const other = workerNamed("w2");
    await pool.hello(other, workerInfo, []);
    await pool.refuse(lease, refusal, {}).finally(() => pool.leave(other));
  },
  "refused to every worker": outlastRefusals,
  release: ({ pool }, lease) => pool.release(lease),
  "lease lost": async ({ pool, clock }) => {
    clock.advance(15_001);
    return pool.reap();
  },
  "lease lost three times": loseThrice,
  stop: ({ pool }, lease) => pool.end(lease.jobId, "stop").then(() => pool.confirm(lease, "stop")),
  cancel: ({ pool }, lease) => pool.end(lease.jobId, "cancel").then(() => pool.confirm(lease, "cancel")),
  retry: ({ pool }, lease) => pool.retry(lease.jobId),
};

async function outlastRefusals({ pool, clock }: PoolUnderTest, lease: HeldLease): Promise<void> {
  if ((await pool.refuse(lease, refusal, {})) !== "accepted") return;
  clock.advance(defaultLeaseTerms.refusalMs);
  await pool.hello(worker, workerInfo, []);
  const { jobs } = await pool.claim(worker, demoTypes, 1);
  for (const { id, token } of jobs) await pool.refuse(leaseOf({ id, token }), refusal, {});
}

async function outlastPatience({ pool, clock }: PoolUnderTest, lease: HeldLease): Promise<void> {
  const postponement = { ...aSecond, patienceMs: 0 };
  if ((await pool.postpone(lease, postponement, {})) !== "accepted") return;
  clock.advance(postponement.delayMs);
  await pool.promote();
  const { jobs } = await pool.claim(worker, demoTypes, 1);
  for (const { id, token } of jobs) await pool.postpone(leaseOf({ id, token }), postponement, {});
}

async function loseThrice({ pool, clock }: PoolUnderTest, lease: HeldLease): Promise<void> {
  for (let i = 0; i < 3; i++) {
    clock.advance(15_001);
    await pool.reap();
    if ((await pool.get(lease.jobId)).crashes !== i + 1 || i === 2) return;
    clock.advance(30_000);
    await pool.hello(worker, workerInfo, []);
    await pool.claim(worker, demoTypes, 1);
  }
}

describe("the table of a job's life", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());

  for (const from of jobStatuses) {
    for (const [event, run] of Object.entries(events)) {
      const row = transitions.find((candidate) => candidate.from === from && candidate.event === event);
      const expected = row?.to ?? from;
      test(`${from} and ${event}: ${row === undefined ? "nothing changes" : expected}`, async () => {
        await under.redis.flushall();
        const lease = await startJob(under, worker);
        await ways[from](under, lease);
        assert.equal((await under.pool.get(lease.jobId)).status, from);
        await run(under, lease).catch((error: Error) => assert.match(error.message, /the job is/));
        assert.equal((await under.pool.get(lease.jobId)).status, expected);
      });
    }
  }
});
