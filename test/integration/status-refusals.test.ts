import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HeldLease, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, finalFailure, passingFailure, startJob } from "../support/pool.ts";

describe("what a job's status does not allow is refused with the way out:", () => {
  const under = useAuditedPool();

  const ways: Record<JobStatus, (lease: HeldLease) => Promise<unknown>> = {
    RUNNING: async () => {},
    PENDING: (lease) => under.pool.release(lease),
    SCHEDULED: (lease) => under.pool.fail(lease, passingFailure, {}),
    STOPPED: (lease) => under.pool.confirm(lease, "stop"),
    CANCELLED: (lease) => under.pool.confirm(lease, "cancel"),
    ERROR: (lease) => under.pool.fail(lease, finalFailure, {}),
    SUCCESS: (lease) => under.pool.succeed(lease, {}),
  };

  /** A job that stands there. */
  async function jobIn(status: JobStatus): Promise<string> {
    const lease = await startJob(under);
    await ways[status](lease);
    return lease.jobId;
  }

  async function periodicJob(): Promise<string> {
    const schedule = {
      cronSpec: "* * * * *",
      timeZone: "UTC",
      overlap: "SKIP" as const,
      ...{ catchUpMs: 0, jitterMs: 0, startAt: 0, endAt: 0 },
    };
    const runAt = under.clock.now() + 60_000;
    const options = { ...usualOptions, kind: "PERIODIC" as const, runAt, schedule };
    return (await under.pool.launch({ ...demoJob, options })).id;
  }

  async function refusal(call: Promise<unknown>): Promise<string> {
    const error = await call.then(
      () => assert.fail("it was done"),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ReasonedError && error.reason === "JOB_STATUS_FORBIDS", String(error));
    assert.equal(error.facts.precondition?.description, error.message);
    return error.message;
  }

  const calls = {
    stop: (id: string) => under.pool.end(id, "stop"),
    cancel: (id: string) => under.pool.end(id, "cancel"),
    retry: (id: string) => under.pool.retry(id),
    pause: (id: string) => under.schedules.pause(id),
  };

  const refused: Array<[call: keyof typeof calls, status: JobStatus, way: RegExp]> = [
    ["retry", "SCHEDULED", /runs by itself when its time has come/],
    ["retry", "PENDING", /runs by itself when a worker is free/],
    ["retry", "RUNNING", /cancel it first/],
    ["retry", "STOPPED", /Launch it again/],
    ["retry", "SUCCESS", /Launch it again/],
    ["stop", "CANCELLED", /has ended already.* RetryJob brings it back/],
    ["stop", "ERROR", /has ended already.* RetryJob brings it back/],
    ["stop", "SUCCESS", /has ended already, for good/],
    ["cancel", "STOPPED", /has ended already, for good/],
    ["cancel", "ERROR", /has ended already.* RetryJob brings it back/],
    ["cancel", "SUCCESS", /has ended already, for good/],
    ["pause", "PENDING", /only periodic jobs .* PauseQueue/],
    ["pause", "SUCCESS", /only periodic jobs .* PauseQueue/],
  ];
  for (const [call, status, way] of refused) {
    test(`${call} of a job that is ${status}`, async () => {
      const text = await refusal(calls[call](await jobIn(status)));
      assert.ok(text.startsWith(`the job is ${status}; `), text);
      assert.match(text, way);
    });
  }

  test("retry of a periodic job, before its end and after it, and what can't be done with one that has ended", async () => {
    const id = await periodicJob();
    assert.match(await refusal(calls.retry(id)), /is SCHEDULED; it launches its jobs by itself; retry those/);
    await calls.cancel(id);
    for (const call of [calls.retry, calls.stop, calls.pause]) {
      assert.match(await refusal(call(id)), /is CANCELLED; its schedule is over\. Launch it again/);
    }
  });
});
