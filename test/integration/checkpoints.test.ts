import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HeldLease, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import {
  aSecond,
  demoJob,
  demoTypes,
  finalFailure,
  leaseOf,
  passingFailure,
  startJob,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const worker = workerNamed("w1");

for (const shards of [1, 3]) {
  describe(`a checkpoint, over ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    /** The job's next run, once its wait is over. */
    async function runAgain(jobId: string): Promise<HeldLease> {
      under.clock.advance(60_000);
      await under.pool.promote();
      await under.pool.hello(worker, workerInfo, []);
      const { jobs } = await under.pool.claim(worker, demoTypes, 10);
      const job = jobs.find(({ id }) => id === jobId) ?? assert.fail(`job ${jobId} does not run`);
      return leaseOf(job);
    }
    const read = async (lease: HeldLease) => (await under.checkpoints.read(lease)).checkpoint;
    const kept = () => under.redis.keys("*:checkpoint:*");

    async function startSaved(): Promise<HeldLease> {
      const lease = await startJob(under, worker);
      await under.checkpoints.save(lease, "page 7");
      return lease;
    }

    test("is there in the next run, however the last one ended", async () => {
      const ends: Array<(lease: HeldLease) => Promise<unknown>> = [
        (lease) => under.pool.fail(lease, passingFailure, {}),
        (lease) => under.pool.postpone(lease, aSecond, {}),
        (lease) => under.pool.release(lease),
        // the worker was lost
        () => under.pool.hello(worker, workerInfo, []),
      ];
      let lease = await startSaved();
      for (const end of ends) {
        await end(lease);
        lease = await runAgain(lease.jobId);
        assert.equal(await read(lease), "page 7");
      }
      await under.checkpoints.save(lease, "page 8");
      assert.equal(await read(lease), "page 8");
    });

    test("is there when the job is retried after an error or a cancel", async () => {
      let lease = await startSaved();
      await under.pool.fail(lease, finalFailure, {});
      await under.pool.retry(lease.jobId);
      lease = await runAgain(lease.jobId);
      assert.equal(await read(lease), "page 7");
      await under.pool.end(lease.jobId, "cancel");
      await under.pool.confirm(lease, "cancel");
      await under.pool.retry(lease.jobId);
      assert.equal(await read(await runAgain(lease.jobId)), "page 7");
    });

    test("goes when the job succeeds or is stopped", async () => {
      const first = await startSaved();
      await under.pool.succeed(first, {});
      assert.deepEqual(await kept(), []);
      const second = await startSaved();
      await under.pool.postpone(second, aSecond, {});
      assert.equal((await kept()).length, 1);
      await under.pool.end(second.jobId, "stop");
      assert.deepEqual(await kept(), []);
    });

    test("goes with the job", async () => {
      const lease = await startSaved();
      await under.pool.fail(lease, finalFailure, {});
      assert.equal((await kept()).length, 1);
      under.clock.advance(60_000);
      const now = under.clock.now();
      await under.pool.sweep("ERROR", now, now);
      assert.deepEqual(await kept(), []);
    });

    test("is neither changed nor shown under a token that is not the job's", async () => {
      const old = await startSaved();
      await under.pool.release(old);
      const lease = await runAgain(old.jobId);
      const stranger = { ...lease, incarnation: "another" };
      for (const wrong of [old, stranger]) {
        await assert.rejects(under.checkpoints.save(wrong, "late"), { reason: "LEASE_LOST" });
        await assert.rejects(read(wrong), { reason: "LEASE_LOST" });
      }
      assert.equal(await read(lease), "page 7");
      await under.pool.succeed(lease, {});
      await assert.rejects(under.checkpoints.save(lease, "after the end"), { reason: "LEASE_LOST" });
      assert.deepEqual(await kept(), []);
    });

    test("that is empty is none", async () => {
      const lease = await startSaved();
      await under.checkpoints.save(lease, "");
      assert.deepEqual([await read(lease), await kept()], ["", []]);
    });
  });

  describe(`a job that waits for its sub-jobs by postponing itself, over ${shards} shards`, () => {
    const under = useAuditedPool({ shards });
    const unique = { ...demoJob, options: { ...usualOptions, uniqueKey: "the only one of its kind" } };

    /** A postponed job with a unique key, a checkpoint and two children. */
    async function startWaiting() {
      const { id } = await under.pool.launch(unique);
      const { jobs } = await under.pool.claim(worker, demoTypes, 1);
      const lease = leaseOf(jobs[0] ?? assert.fail());
      assert.equal(lease.jobId, id);
      await under.checkpoints.save(lease, "all launched");
      const launch = (key: string) => under.pool.launchSubJob(lease, key, demoJob);
      const children = [(await launch("1")).id, (await launch("2")).id];
      await under.pool.postpone(lease, { ...aSecond, delayMs: 30_000 }, {});
      return { id, children };
    }
    test("is told the keys that it launched others with, some at a time, and nobody else is", async () => {
      const lease = await startJob(under, worker);
      const keys = Array.from({ length: 1_200 }, (_, at) => `key ${at}`);
      for (const key of keys) await under.pool.launchSubJob(lease, key, demoJob);
      const found: string[][] = [];
      let from = "";
      do {
        const { keys: some, next } = await under.checkpoints.subJobKeys(lease, from);
        found.push(some);
        from = next;
      } while (from !== "");
      assert.deepEqual(found.flat().sort(), keys.toSorted());
      assert.ok(found.length > 1 && found.every((some) => some.length < 700));
      assert.deepEqual(await under.checkpoints.haveLaunched(lease.jobId, ["key 7", "", "another"]), [
        true,
        false,
        false,
      ]);
      const stranger = { ...lease, incarnation: "another" };
      await assert.rejects(under.checkpoints.subJobKeys(stranger, ""), { reason: "LEASE_LOST" });
    });

    const statusesOf = (ids: string[]) => Promise.all(ids.map(async (own) => (await under.pool.get(own)).status));

    test("keeps its children, its checkpoint and its unique key, however often it does", async () => {
      const { id, children } = await startWaiting();
      for (let round = 1; round <= 5; round++) {
        under.clock.advance(3_600_000);
        await under.pool.promote();
        await under.pool.hello(worker, workerInfo, []);
        await assert.rejects(under.pool.launch(unique), { reason: "JOB_ALREADY_EXISTS" });
        const { jobs } = await under.pool.claim(worker, demoTypes, 10);
        const lease = leaseOf(jobs.find((job) => job.id === id) ?? assert.fail());
        const state = await under.checkpoints.read(lease);
        assert.equal(state.checkpoint, "all launched");
        const total = Object.values(state.executionTotals).reduce((sum, count) => sum + count, 0);
        assert.equal(total, 2);
        for (const [at, key] of ["1", "2"].entries())
          assert.equal((await under.pool.launchSubJob(lease, key, demoJob)).id, children[at]);
        await under.pool.postpone(lease, { ...aSecond, delayMs: 30_000 }, {});
        assert.equal((await under.pool.get(id)).attempt, 0);
      }
    });

    test("ends its children when it is stopped while it waits", async () => {
      const { id, children } = await startWaiting();
      const { jobs } = await under.pool.claim(worker, demoTypes, 1);
      const running = jobs[0] ?? assert.fail();
      assert.equal((await under.pool.end(id, "stop")).status, "STOPPED");
      await under.pool.endSubJobs();
      const waiting = children.filter((own) => own !== running.id);
      assert.deepEqual(await statusesOf([...waiting, running.id]), ["STOPPED", "RUNNING"]);
      assert.equal((await under.pool.get(running.id)).command, "stop");
      assert.notEqual((await under.pool.launch(unique)).id, id, "its unique key is free");
    });

    test("ends its children when it is cancelled while it waits, and goes on with them when it is retried", async () => {
      const { id, children } = await startWaiting();
      const { jobs } = await under.pool.claim(worker, demoTypes, 1);
      const done = jobs[0] ?? assert.fail();
      await under.pool.succeed(leaseOf(done), {});
      await under.pool.end(id, "cancel");
      await under.pool.endSubJobs();
      const others = children.filter((own) => own !== done.id);
      assert.deepEqual(await statusesOf(others), ["CANCELLED"]);
      await under.pool.retry(id);
      const again = (await under.pool.claim(worker, demoTypes, 10)).jobs.find((job) => job.id === id);
      const lease = leaseOf(again ?? assert.fail());
      assert.equal((await under.checkpoints.read(lease)).checkpoint, "all launched");
      assert.deepEqual(await under.checkpoints.subJobKeys(lease, ""), { keys: [], next: "" });
      assert.deepEqual(await under.checkpoints.haveLaunched(id, ["1"]), [false], "in this life");
      const launched = [];
      for (const key of ["1", "2"]) launched.push((await under.pool.launchSubJob(lease, key, demoJob)).id);
      assert.ok(launched.includes(done.id), "what succeeded is not done again");
      assert.ok(!launched.includes(others[0] ?? ""), "what was cancelled is");
      assert.deepEqual((await under.checkpoints.subJobKeys(lease, "")).keys.sort(), ["1", "2"]);
    });
  });
}
