import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { ReasonedError } from "@drydock/shared/errors.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, finalFailure, leaseOf, startJob, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");
const unique = { ...demoJob, options: { ...usualOptions, uniqueKey: "u" } };

describe("sub-jobs", () => {
  const under = useAuditedPool();

  const claim = async (): Promise<HeldLease> => {
    const [job = assert.fail("nothing waits")] = (await under.pool.claim(worker, demoTypes, 1)).jobs;
    return leaseOf(job);
  };
  const launch = async (parent: HeldLease, job = demoJob) => (await under.pool.launchSubJob(parent, "key", job)).id;
  const statusOf = async (id: string) => (await under.pool.get(id)).status;

  /** A parent that was cancelled with its child and retried; the child has not obeyed yet. */
  async function retriedWithDyingChild(job = demoJob) {
    const first = await startJob(under, worker);
    await launch(first, job);
    const child = await claim();
    await under.pool.end(first.jobId, "cancel");
    await under.pool.endSubJobs();
    await under.pool.confirm(first, "cancel");
    await under.pool.retry(first.jobId);
    return { parent: await claim(), child };
  }

  test("of a child that has ended end with its parent's stop", async () => {
    const parent = await startJob(under, worker);
    await launch(parent);
    const child = await claim();
    const grandchild = await launch(child);
    await under.pool.succeed(child, {});
    await under.pool.end(parent.jobId, "stop");
    await under.pool.endSubJobs();
    assert.equal(await statusOf(grandchild), "STOPPED");
  });

  test("of sub-jobs are reached by a stop, and so is what is launched while the stop is open", async () => {
    const { pool } = under;
    const parent = await startJob(under, worker);
    const child = await pool.launchSubJob(parent, "1", demoJob);
    const { jobId, token } = await claim();
    assert.equal(jobId, child.id);
    const grandchild = await pool.launchSubJob(leaseOf({ id: child.id, token }), "1", demoJob);
    await pool.end(parent.jobId, "stop");
    await pool.endSubJobs();
    assert.equal((await pool.get(child.id)).command, "stop");
    assert.equal(await statusOf(grandchild.id), "STOPPED");
    const late = await pool.launchSubJob(parent, "2", demoJob);
    const lateGrandchild = await pool.launchSubJob(leaseOf({ id: child.id, token }), "2", demoJob);
    await pool.confirm(parent, "stop");
    await pool.confirm(leaseOf({ id: child.id, token }), "stop");
    await pool.endSubJobs();
    assert.deepEqual([await statusOf(late.id), await statusOf(lateGrandchild.id)], ["STOPPED", "STOPPED"]);
  });

  test("of a parent whose queue is drained are stopped with it", async () => {
    const parent = await startJob(under, worker);
    const child = await launch(parent, { ...demoJob, name: "OTHER" });
    await under.pool.release(parent);
    await under.queues.drain("DEMO", "", 10);
    await under.pool.endSubJobs();
    assert.deepEqual([await statusOf(parent.jobId), await statusOf(child)], ["STOPPED", "STOPPED"]);
  });

  test("are stopped, although their parent's stop is followed by a cancel", async () => {
    const parent = await startJob(under, worker);
    const child = await launch(parent);
    await under.pool.end(parent.jobId, "stop");
    await under.pool.end(parent.jobId, "cancel");
    await under.pool.endSubJobs();
    assert.equal(await statusOf(child), "STOPPED");
  });

  test("that obey the cancel of a former life are launched anew in the next, whenever they obey", async () => {
    const { parent, child } = await retriedWithDyingChild();
    const anew = await launch(parent);
    assert.notEqual(anew, child.jobId);
    await under.pool.confirm(child, "cancel");
    assert.equal(await launch(parent), anew);
  });

  test("that ended without success in this life stay what their key stands for", async () => {
    const { parent, child } = await retriedWithDyingChild();
    await under.pool.confirm(child, "cancel");
    const anew = await launch(parent);
    await under.pool.end(anew, "stop");
    assert.equal(await launch(parent), anew);
  });

  test("of a former life are kept when they succeeded, or go on", async () => {
    const first = await startJob(under, worker);
    const child = await launch(first);
    await under.pool.fail(first, finalFailure, {});
    await under.pool.retry(first.jobId);
    const [parent, running] = [await claim(), await claim()];
    assert.deepEqual([parent.jobId, running.jobId], [first.jobId, child]);
    assert.equal(await launch(parent), child, "it goes on");
    await under.pool.succeed(running, {});
    await under.pool.fail(parent, finalFailure, {});
    await under.pool.retry(parent.jobId);
    assert.equal(await launch(await claim()), child, "it succeeded");
  });

  test("are in the lane of their parent, or of their own family when it has none", async () => {
    const options = { ...usualOptions, fairnessKey: "team" };
    await under.pool.launch({ ...demoJob, options });
    const ofTeam = await under.pool.launchSubJob(await claim(), "key", demoJob);
    await claim();
    const alone = await startJob(under, worker);
    const child = await under.pool.launchSubJob(alone, "key", demoJob);
    assert.deepEqual([ofTeam.fairnessKey, child.fairnessKey], ["team", alone.jobId]);
    assert.equal((await under.pool.get(ofTeam.id)).fairnessKey, "team");
  });

  test("are refused for the time in which one of their unique key ends", async () => {
    const { parent, child } = await retriedWithDyingChild(unique);
    await assert.rejects(launch(parent, unique), ({ reason, facts }: ReasonedError) => {
      assert.deepEqual([reason, facts.metadata?.job_id], ["JOB_ALREADY_EXISTS", child.jobId]);
      return facts.retryAfterMs === 1_000;
    });
    await under.pool.confirm(child, "cancel");
    assert.notEqual(await launch(parent, unique), child.jobId);
  });

  test("whose unique key another job holds are that job, also when it has ended", async () => {
    const parent = await startJob(under, worker);
    const holder = (await under.pool.launch(unique)).id;
    assert.equal(await launch(parent, unique), holder);
    await under.pool.succeed(await claim(), {});
    assert.equal(await launch(parent, unique), holder);
    assert.deepEqual((await under.pool.get(parent.jobId)).executions, [], "it was launched by somebody else");
  });
});
