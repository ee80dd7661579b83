import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type LaunchOptions, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { ClosedType } from "@drydock/job-controller/domain/worker.ts";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
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
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { startStack } from "../support/stack.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

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

describe("a worker that is refused for jobs", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig({ DRYDOCK_REFUSAL_GRACE_SECONDS: "2" });
  });
  after(() => rig.stop());

  const refused = { outcome: Outcome.OUTCOME_REFUSED, ...denied, patience: { seconds: 60, nanos: 0 } };

  test("leaves each to another one after one try, and the job says whom it waits for", async () => {
    const type = rig.newType();
    const good = await rig.join(type, { slots: 1 });
    await rig.api.launch(type, {});
    const first = await good.takes();
    const bad = await rig.join(type, { slots: 50 });
    const ids = await Promise.all(Array.from({ length: 30 }, async () => (await rig.api.launch(type, {})).id));
    let [tries, isOver] = [0, false];
    const refusing = (async () => {
      while (!isOver) {
        const job = await bad.takes({ withinMs: 500 }).catch(() => undefined);
        if (job === undefined) continue;
        bad.sendResult(job.lease, refused);
        tries++;
      }
    })();
    const waiting = await rig.api.until(ids[0] ?? "", "is refused", ({ checkIn }) => checkIn !== "");
    const { workerId } = bad.hello;
    assert.match(
      waiting.checkIn,
      new RegExp(
        `^waits since \\S+Z: another worker is needed, as ${workerId} is refused \\(ERROR when no other has come 2 s after all are\\): `,
      ),
    );
    assert.ok(waiting.checkIn.endsWith(denied.message), waiting.checkIn);
    await good.reports(first.lease);
    for (const _ of ids) await good.reports((await good.takes()).lease);
    for (const id of ids) assert.equal((await rig.api.get(id)).status, "SUCCESS");
    isOver = true;
    await refusing;
    assert.ok(tries <= ids.length, `${tries} tries`);
  });

  test("ends each with the cause after the grace when it is alone", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    const begun = performance.now();
    await worker.reports((await worker.takes()).lease, refused);
    assert.equal((await rig.api.get(id)).status, "PENDING");
    await worker.reports((await worker.takes()).lease, refused);
    assert.ok(performance.now() - begun >= 2_000);
    const { status, lastError, attempt } = await rig.api.get(id);
    assert.deepEqual([status, lastError?.reason, lastError?.message, attempt], ["ERROR", ...Object.values(denied), 1]);
  });

  test("leaves a job to the one that joins a second later", async () => {
    const type = rig.newType();
    const bad = await rig.join(type);
    const { id } = await rig.api.launch(type, {});
    await bad.reports((await bad.takes()).lease, refused);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const good = await rig.join(type);
    const { lease } = await good.takes({ withinMs: 1_000 });
    assert.equal(lease.jobId, id);
    await good.reports(lease);
    assert.equal((await rig.api.get(id)).status, "SUCCESS");
  });

  test("soon does what it may do behind many that it is refused for", async () => {
    const type = rig.newType();
    const closed = [
      { jobType: type, reason: "AWAY", message: "", since: undefined, patience: undefined, isWorkerFault: false },
    ];
    await rig.join(type, { closed });
    const launch = (count: number) =>
      Promise.all(Array.from({ length: count }, async () => (await rig.api.launch(type, {})).id));
    const foreign = new Set(await launch(60));
    const own = new Set(await launch(20));
    const worker = await rig.join(type, { slots: 4 });
    for (let runs = 0; runs < 80; runs++) {
      const { lease } = await worker.takes({ withinMs: 1_000 });
      worker.sendResult(lease, foreign.has(lease.jobId) ? refused : {});
      own.delete(lease.jobId);
    }
    assert.equal(own.size, 0);
  });

  test("leaves them to one at another controller, without waiting for its next look around", async () => {
    const stack = await startStack();
    try {
      const [near, far] = [await stack.startController(), await stack.startController()];
      const jobTypes = [plainType("SCRIPTED")];
      const good = await ScriptedWorker.join(far.address, { jobTypes });
      const bad = await ScriptedWorker.join(near.address, { jobTypes, slots: 50 });
      let isOver = false;
      const refusing = (async () => {
        while (!isOver) {
          const job = await bad.takes({ withinMs: 300 }).catch(() => undefined);
          if (job !== undefined) bad.sendResult(job.lease, refused);
        }
      })();
      for (let round = 0; round < 10; round++) {
        const { id } = await near.api.launch("SCRIPTED", {});
        const { lease } = await good.takes({ withinMs: 2_000 });
        assert.equal(lease.jobId, id);
        await good.reports(lease);
      }
      isOver = true;
      await refusing;
      await Promise.all([good.breakOff(), bad.breakOff()]);
    } finally {
      await stack.stop();
    }
  });
});
