import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { WorkerInfo } from "@drydock/job-controller/domain/worker.ts";
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

/** A minute passes, which is longer than the first wait of a worker that was lost with a job, and the second. */
const minute = 60_000;
const ownFault = { jobName: "DEMO", reason: "NO_REGISTRY", message: "", since: 0, isWorkerFault: true };

for (const shards of [1, 3]) {
  describe(`a job whose worker is lost, in ${shards} shards`, () => {
    let under: PoolUnderTest;
    let processes = 0;
    before(async () => {
      under = await startPool({ shards });
    });
    after(() => under.stop());
    beforeEach(() => under.redis.flushall());

    const job = (id: string) => under.pool.get(id);
    /** A new process of the worker, which frees what the one before held. */
    const start = async (workerId: string, info: Partial<WorkerInfo> = {}) => {
      const worker = workerNamed(workerId, `process-${++processes}`);
      await under.pool.hello(worker, { ...workerInfo, ...info }, []);
      return worker;
    };
    const claim = async (workerId: string) => (await under.pool.claim(await start(workerId), demoTypes, 9)).jobs;
    /** Lets a process of the worker take what it may, and die of it. Gives what it took. */
    const die = async (workerId: string) => {
      const taken = (await claim(workerId)).map(({ id }) => id);
      await start(workerId);
      return taken;
    };
    const launch = async () => (await under.pool.launch(demoJob)).id;

    test("is not ended by one that dies again and again, while another could do it, and runs there", async () => {
      const ids = [await launch(), await launch()];
      for (let at = 0; at < 9; at++) {
        await start("good");
        await die("bad");
        under.clock.advance(minute);
      }
      for (const id of ids) {
        const { status, attempt, crashes } = await job(id);
        assert.deepEqual([status, attempt, crashes > 3], ["PENDING", 0, true]);
      }
      const jobs = await claim("good");
      assert.deepEqual(jobs.map(({ id }) => id).sort(), ids.sort());
    });

    test("is not given to that worker for 15 s, then 30 s, while another could do it, and hides no other job", async () => {
      await start("good", { slots: 0 });
      const id = await launch();
      assert.deepEqual(await die("bad"), [id]);
      const next = await launch();
      const seen: number[] = [];
      for (let passed = 1; passed < 50; passed++) {
        under.clock.advance(1_000);
        await start("good");
        const taken = await die("bad");
        if (taken.includes(id)) seen.push(passed);
        if (passed === 1) assert.deepEqual(taken, [next]);
      }
      assert.deepEqual(seen, [15, 45]);
    });

    test("is taken for the cause at the third loss when every worker that could do it was lost with it", async () => {
      const id = await launch();
      for (const workerId of ["one", "two"]) {
        await start("one");
        await start("two");
        await die(workerId);
        assert.equal((await job(id)).status, "PENDING");
      }
      under.clock.advance(14_999);
      await start("two");
      await die("two");
      const { status, crashes, attempt, lastError } = await job(id);
      assert.deepEqual([status, crashes, attempt, lastError?.reason], ["ERROR", 3, 1, "WORKER_LOST"]);
      assert.deepEqual(await under.redis.keys("*:refused:*"), []);
    });

    test("is taken for the cause when three workers were lost with it, whatever others there are", async () => {
      const id = await launch();
      for (const workerId of ["one", "two", "three"]) {
        await start("four");
        assert.deepEqual(await die(workerId), [id]);
      }
      const { status, crashes, lastError } = await job(id);
      assert.deepEqual([status, crashes, lastError?.reason], ["ERROR", 3, "WORKER_LOST"]);
    });

    const unable: Record<string, Partial<WorkerInfo>> = {
      drains: { draining: true },
      "does not know its type": { jobNames: ["OTHER"] },
      "has closed its type for its own fault": { closed: [ownFault] },
    };
    for (const [why, info] of Object.entries(unable)) {
      test(`is taken by the same worker at once, then after 30 s, and for the cause at the third loss, when the other one ${why}`, async () => {
        const id = await launch();
        for (const waitMs of [0, 0, 30_000]) {
          if (waitMs > 0) {
            under.clock.advance(waitMs - 1);
            assert.deepEqual(await die("lone"), [], "another one may be about to come back");
            under.clock.advance(1);
          }
          await start("other", info);
          assert.deepEqual(await die("lone"), [id]);
        }
        assert.equal((await job(id)).status, "ERROR");
        await under.pool.retry(id);
        assert.deepEqual(await die("lone"), [id], "RetryJob begins anew");
        assert.equal((await job(id)).status, "PENDING");
      });
    }

    test("may go to that worker again behind a run that ended", async () => {
      await start("good");
      const id = await launch();
      await die("bad");
      const [claimed = assert.fail("no job came")] = await claim("good");
      assert.equal(await under.pool.fail(leaseOf(claimed, `process-${processes}`), passingFailure, {}), "accepted");
      under.clock.advance(minute);
      await under.pool.promote();
      assert.deepEqual(await under.redis.keys("*:refused:*"), []);
      assert.deepEqual(await die("bad"), [id]);
    });
  });
}
