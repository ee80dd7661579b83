import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type LaunchOptions, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { ClosedType } from "@drydock/job-controller/domain/worker.ts";
import {
  demoJob,
  demoTypes,
  leaseOf,
  type PoolUnderTest,
  passingFailure,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const [one, two] = [workerNamed("w1"), workerNamed("w2")];
const hourMs = 3_600_000;
const denied = { reason: "ACCESS_DENIED", message: "the registry does not let the worker read it (403)" };
const refusal = { patienceMs: hourMs, ...denied };

for (const shards of [1, 3]) {
  describe(`a job that a worker is refused for, in ${shards} shards`, () => {
    let under: PoolUnderTest;
    before(async () => {
      under = await startPool({ shards });
    });
    after(() => under.stop());
    beforeEach(async () => {
      await under.redis.flushall();
      for (const worker of [one, two]) await under.pool.hello(worker, workerInfo, []);
    });

    const launch = async () => (await under.pool.launch(demoJob)).id;
    const job = (id: string) => under.pool.get(id);
    const claim = (worker = one, limit = 1) => under.pool.claim(worker, demoTypes, limit);
    /** Beats of the workers that have not left. */
    const beat = () => Promise.all([one, two].map((worker) => under.pool.beat(worker, []).catch(() => {})));
    /** Claims the next job and is refused for it. Gives its id. */
    const refuse = async (worker = one) => {
      const [claimed = assert.fail("no job came")] = (await claim(worker)).jobs;
      assert.equal(await under.pool.refuse(leaseOf(claimed), refusal, { text: "not w1" }), "accepted");
      return claimed.id;
    };

    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        under.clock.advance(Math.min(5_000, ms - passed));
        await beat();
      }
    };
    const claimAndRefuse = async (worker = one) => {
      const [claimed] = (await claim(worker)).jobs;
      if (claimed !== undefined) await under.pool.refuse(leaseOf(claimed), refusal, {});
      return claimed !== undefined;
    };
    /** Lets the first worker be refused for the job until it ends. Gives how, and how long that took. */
    const refusedUntilTheEnd = async (id: string) => {
      const begun = under.clock.now();
      for (;;) {
        await claimAndRefuse();
        const { status } = await job(id);
        if (status !== "PENDING") return [status, under.clock.now() - begun];
        await pass(1_000);
      }
    };

    test("waits for another one, uses no attempt, and runs there", async () => {
      const ids = [await launch(), await launch()];
      const id = await refuse();
      const { status, attempt, checkIn, postponedSince, lastError } = await job(id);
      assert.deepEqual([status, attempt, checkIn, lastError], ["PENDING", 0, "not w1", undefined]);
      assert.equal(postponedSince, under.clock.now());
      const { jobs, refused } = await claim(one, 9);
      assert.deepEqual([jobs.map((claimed) => claimed.id), refused], [ids.filter((other) => other !== id), ["DEMO"]]);
      const [claimed] = (await claim(two)).jobs;
      assert.deepEqual([claimed?.id, claimed?.attempt], [id, 1]);
      await under.pool.succeed(leaseOf(claimed ?? assert.fail()), {});
      assert.deepEqual(await under.redis.keys("*:refused:*"), []);
    });

    test("is in ERROR with the last cause once every worker has been refused for a minute, and no sooner", async () => {
      const id = await launch();
      await refuse(one);
      await pass(10_000);
      await refuse(two);
      for (const worker of [one, two, one, two]) {
        await pass(15_000 - 1);
        while ((await job(id)).status === "PENDING" && (await claimAndRefuse(worker)));
        assert.equal((await job(id)).status, "PENDING");
      }
      await pass(4);
      await refuse(one);
      const { status, attempt, lastError } = await job(id);
      assert.deepEqual([status, attempt], ["ERROR", 1]);
      assert.deepEqual(lastError, { ...denied, attempt: 1, at: under.clock.now() });
      await under.pool.retry(id);
      assert.equal((await claim(one)).jobs[0]?.id, id, "RetryJob begins anew");
    });

    test("is in ERROR after a minute when no other worker knows its type", async () => {
      await under.pool.leave(two);
      await under.pool.hello(workerNamed("w3"), { ...workerInfo, jobNames: ["OTHER"] }, []);
      assert.deepEqual(await refusedUntilTheEnd(await launch()), ["ERROR", 60_000]);
    });

    test("is in ERROR after a minute when every other worker drains", async () => {
      await under.pool.update(two, { ...workerInfo, draining: true });
      assert.deepEqual(await refusedUntilTheEnd(await launch()), ["ERROR", 60_000]);
    });

    test("is done by a worker that was away for less than a minute", async () => {
      await under.pool.leave(two);
      const id = await launch();
      await refuse();
      await pass(40_000);
      await refuse();
      const restarted = workerNamed("w2", "second", "s2");
      await under.pool.hello(restarted, workerInfo, []);
      assert.equal((await claim(restarted)).jobs[0]?.id, id);
    });

    test("has a minute anew when a worker that it waited for goes", async () => {
      const id = await launch();
      await refuse();
      await pass(3_000_000);
      await under.pool.leave(two);
      assert.deepEqual(await refusedUntilTheEnd(id), ["ERROR", 60_000]);
    });

    for (const [isWorkerFault, reason, status] of [
      [true, "REGISTRY_AUTH_REJECTED", "ERROR"],
      [false, "SCANNER_UNREACHABLE", "PENDING"],
    ] as const) {
      test(`is ${status} after a minute when the only other worker has closed the type for ${reason}`, async () => {
        const closed: ClosedType[] = [{ jobName: "DEMO", reason, message: "", since: 1, isWorkerFault }];
        await under.pool.update(two, { ...workerInfo, closed });
        const id = await launch();
        await refuse();
        assert.equal((await job(id)).status, "PENDING");
        await pass(60_000);
        await refuse();
        assert.equal((await job(id)).status, status);
      });
    }

    test("comes to a worker again after 15 s, then after 30 s, and to a new process of it at once", async () => {
      const id = await launch();
      for (const waitMs of [15_000, 30_000, 60_000]) {
        await refuse();
        for (let passed = 0; passed < waitMs; passed += 5_000) {
          assert.deepEqual((await claim()).jobs, [], `after ${passed} of ${waitMs} ms`);
          under.clock.advance(5_000);
          await beat();
        }
      }
      await refuse();
      const restarted = workerNamed("w1", "second", "s2");
      await under.pool.hello(restarted, workerInfo, []);
      assert.equal((await claim(restarted)).jobs[0]?.id, id);
    });

    test("is in ERROR when its patience is over, though another worker might do it", async () => {
      const id = await launch();
      await refuse();
      under.clock.advance(hourMs + 1);
      for (const worker of [one, two]) await under.pool.hello(worker, workerInfo, []);
      await refuse();
      assert.deepEqual([(await job(id)).status, (await job(id)).lastError?.reason], ["ERROR", denied.reason]);
    });

    test("may be refused anew behind a failure, which ends what was remembered", async () => {
      const id = await launch();
      await refuse(one);
      const [claimed] = (await claim(two)).jobs;
      await under.pool.fail(leaseOf(claimed ?? assert.fail()), passingFailure, {});
      under.clock.advance(passingFailure.retry as number);
      await under.pool.promote();
      assert.equal((await claim(one)).jobs[0]?.id, id);
    });

    for (const [what, options] of [
      ["of its lane", () => ({})],
      ["of a higher priority", () => ({ priority: 9 })],
      ["of many fairness keys", (at: number) => ({ fairnessKey: `key ${at}` })],
      ["of a higher priority, of many fairness keys", (at: number) => ({ priority: 9, fairnessKey: `key ${at}` })],
    ] as [string, (at: number) => Partial<LaunchOptions>][]) {
      test(`hides no other, when there are 700 ${what}`, async () => {
        const launchWith = (own: Partial<LaunchOptions>) =>
          under.pool.launch({ ...demoJob, options: { ...usualOptions, ...own } });
        const foreign = await Promise.all(Array.from({ length: 700 }, (_, at) => launchWith(options(at))));
        for (let left = foreign.length; left > 0; ) {
          const { jobs } = await claim(one, 100);
          assert.ok(jobs.length > 0, `${left} are left`);
          await Promise.all(jobs.map((claimed) => under.pool.refuse(leaseOf(claimed), refusal, {})));
          left -= jobs.length;
        }
        const own = [await launch(), await launch()];
        const { jobs, refused } = await claim(one, 9);
        assert.deepEqual([jobs.map(({ id }) => id).sort(), refused.includes("DEMO")], [own.sort(), true]);
        const taken = new Set<string>();
        while (taken.size < 700) {
          const { jobs } = await claim(two, 100);
          assert.ok(jobs.length > 0, `${taken.size} have come`);
          for (const { id } of jobs) taken.add(id);
        }
      });
    }

    test("is found behind many in its lane that are for others", async () => {
      for (let at = 0; at < 180; at++) await launch();
      await launch();
      const barred = (await claim(one, 180)).jobs;
      const [own = assert.fail()] = (await claim(two)).jobs;
      for (const claimed of [...barred, own]) await under.pool.refuse(leaseOf(claimed), refusal, {});
      const found = new Set<string>();
      for (let claims = 0; claims < 4; claims++) for (const { id } of (await claim(one, 9)).jobs) found.add(id);
      assert.deepEqual([...found], [own.id], "each claim looks at fifty");
    });

    test("is put off with many others at once, by the process that holds them and no other", async () => {
      for (let at = 0; at < 20; at++) await launch();
      const { jobs } = await claim(one, 20);
      const refuseAll = (by = one) =>
        Promise.all(
          jobs.map((job) => under.pool.refuse({ ...leaseOf(job), incarnation: by.incarnation }, refusal, {})),
        );
      assert.deepEqual(new Set(await refuseAll(workerNamed("w1", "another", "s9"))), new Set(["stale"]));
      assert.deepEqual(new Set(await refuseAll()), new Set(["accepted"]));
      assert.deepEqual(new Set(await refuseAll()), new Set(["duplicate"]));
    });

    test("keeps its place among others that wait, and may be stopped there", async () => {
      const ids = [await launch(), await launch(), await launch()];
      for (const _ of ids) await refuse();
      assert.deepEqual((await claim(one, 9)).jobs, []);
      assert.equal((await under.pool.end(ids[1] ?? "", "stop")).status, "STOPPED");
      const { jobs } = await claim(two, 9);
      assert.deepEqual(jobs.map(({ id }) => id).sort(), [ids[0], ids[2]].sort());
    });

    test("ends as it was asked to while it ran", async () => {
      const id = await launch();
      const [claimed] = (await claim()).jobs;
      await under.pool.end(id, "cancel");
      await under.pool.refuse(leaseOf(claimed ?? assert.fail()), refusal, {});
      assert.deepEqual([(await job(id)).status, await under.redis.keys("*:refused:*")], ["CANCELLED", []]);
    });
  });
}
