import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClaimedJob, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { Schedule } from "@drydock/job-controller/domain/schedule.ts";
import { fireSchedules, resumeSchedule } from "@drydock/job-controller/usecases/fire-schedules.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import {
  aSecond,
  demoJob,
  demoTypes,
  finalFailure,
  leaseOf,
  type PoolUnderTest,
  passingFailure,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const minuteMs = 60_000;
const w1 = workerNamed("w1");
const schedule: Schedule = {
  ...{ cronSpec: "* * * * *", timeZone: "UTC", overlap: "QUEUE_ONE", catchUpMs: minuteMs, jitterMs: 0 },
  ...{ startAt: 0, endAt: 0 },
};

/** Every way for a running job to end. */
const ends: Record<string, (under: PoolUnderTest, job: ClaimedJob) => Promise<unknown>> = {
  "has ended well": ({ pool }, job) => pool.succeed(leaseOf(job), {}),
  "has failed for good": ({ pool }, job) => pool.fail(leaseOf(job), finalFailure, {}),
  "was stopped": async ({ pool }, job) => {
    await pool.end(job.id, "stop");
    await pool.confirm(leaseOf(job), "stop");
  },
  "was cancelled, given back and so ended": async ({ pool }, job) => {
    await pool.end(job.id, "cancel");
    await pool.release(leaseOf(job));
  },
  "was taken from a worker that does not obey": async ({ pool, clock }, job) => {
    await pool.end(job.id, "stop");
    clock.advance(15_001);
    await pool.beat(w1, [leaseOf(job)]);
  },
  "was lost three times": async ({ pool, clock }) => {
    for (let losses = 0; losses < 3; losses++) {
      clock.advance(15_001);
      await pool.reap();
      clock.advance(30_000);
      await pool.hello(w1, workerInfo, []);
      if (losses < 2) assert.equal((await pool.claim(w1, demoTypes, 9)).jobs.length, 1);
    }
  },
  "was given back and drained": async ({ pool, queues }, job) => {
    await pool.release(leaseOf(job));
    assert.equal((await queues.drain("DEMO", "", 1)).stopped, 1);
  },
};

describe("a periodic job that lets one launch wait", () => {
  const under = useAuditedPool();

  const launch = async (own: Partial<Schedule> = {}, policy = noPolicy) => {
    const runAt = under.clock.now() + minuteMs;
    const options = { ...usualOptions, kind: "PERIODIC", runAt, policy, schedule: { ...schedule, ...own } } as const;
    return (await under.pool.launch({ ...demoJob, options })).id;
  };
  /** The next time comes, and controllers do at once what is due; the worker lives on. */
  const pass = async (held: ClaimedJob[] = []) => {
    under.clock.advance(minuteMs);
    await under.pool.hello(
      w1,
      workerInfo,
      held.map((job) => leaseOf(job)),
    );
    await Promise.all([fireSchedules(under), fireSchedules(under), fireSchedules(under)]);
    await under.pool.promote();
  };
  /** What a worker with many free slots gets. */
  const claim = async () => (await under.pool.claim(w1, demoTypes, 9)).jobs;
  const countsOf = async (id: string) => {
    const { launched, skipped, waiting } = (await under.pool.get(id)).periodicCounts ?? assert.fail();
    return { launched, skipped, waiting };
  };
  /** One runs, and one waits for it. */
  const runOneAndWait = async (own?: Partial<Schedule>) => {
    const id = await launch(own);
    await pass();
    const [running = assert.fail()] = await claim();
    await pass([running]);
    assert.deepEqual(await countsOf(id), { launched: 1, skipped: 0, waiting: true });
    return { id, running };
  };

  for (const [what, end] of Object.entries(ends)) {
    test(`launches it when the job before ${what}, and not before, whatever slots are free`, async () => {
      const { id, running } = await runOneAndWait();
      assert.deepEqual(await claim(), []);
      await pass([running]);
      assert.deepEqual(await countsOf(id), { launched: 1, skipped: 1, waiting: true }, "no more than one waits");
      assert.deepEqual(await claim(), []);
      await end(under, running);
      assert.deepEqual(await countsOf(id), { launched: 2, skipped: 1, waiting: false });
      const [next = assert.fail(), ...others] = await claim();
      assert.deepEqual(others, []);
      assert.notEqual(next.id, running.id);
      await pass([next]);
      assert.deepEqual([await claim(), await countsOf(id)], [[], { launched: 2, skipped: 1, waiting: true }]);
    });
  }

  test("does not launch it while the job before waits for its next attempt", async () => {
    const { id, running } = await runOneAndWait();
    await under.pool.fail(leaseOf(running), { ...passingFailure, retry: 2 * minuteMs }, {});
    assert.deepEqual(await claim(), []);
    await pass();
    await pass();
    const [again = assert.fail(), ...others] = await claim();
    assert.deepEqual([again.id, others], [running.id, []]);
    assert.deepEqual(await countsOf(id), { launched: 1, skipped: 2, waiting: true });
    await under.pool.postpone(leaseOf(again), aSecond, {});
    assert.deepEqual(await claim(), []);
    await pass();
    const [last = assert.fail()] = await claim();
    await under.pool.succeed(leaseOf(last), {});
    assert.deepEqual((await claim()).length, 1);
  });

  test("launches it when no worker took the job before in time", async () => {
    const id = await launch({}, { ...noPolicy, queueTimeoutMs: 2 * minuteMs });
    for (let times = 0; times < 3; times++) await pass();
    assert.equal((await countsOf(id)).waiting, true);
    await under.pool.expire();
    assert.deepEqual(await countsOf(id), { launched: 2, skipped: 1, waiting: false });
  });

  for (const command of ["stop", "cancel"] as const) {
    test(`leaves it out at a ${command}`, async () => {
      const { id, running } = await runOneAndWait();
      await under.pool.end(id, command);
      await under.pool.endSubJobs();
      await under.pool.succeed(leaseOf(running), {});
      assert.deepEqual(await countsOf(id), { launched: 1, skipped: 1, waiting: false });
      assert.deepEqual(await claim(), []);
    });
  }

  test("leaves it out when it is paused", async () => {
    const { id, running } = await runOneAndWait();
    await under.schedules.pause(id);
    await under.pool.succeed(leaseOf(running), {});
    await resumeSchedule(under, await under.pool.get(id));
    assert.deepEqual(await countsOf(id), { launched: 1, skipped: 1, waiting: false });
    assert.deepEqual(await claim(), []);
  });

  test("launches it after its last time, too, and is over then", async () => {
    const { id, running } = await runOneAndWait({ endAt: under.clock.now() + 2 * minuteMs });
    await pass([running]);
    const { status, runAt } = await under.pool.get(id);
    assert.deepEqual([status, runAt, await under.schedules.list("", 9)], ["SCHEDULED", 0, [id]]);
    assert.equal((await fireSchedules(under)).nextDueAt, 0);
    await under.pool.succeed(leaseOf(running), {});
    assert.equal((await under.pool.get(id)).status, "STOPPED");
    assert.deepEqual(await countsOf(id), { launched: 2, skipped: 0, waiting: false });
    assert.equal((await claim()).length, 1);
  });

  test("does not keep the job before from ending when its own record cannot be read", async () => {
    const { id, running } = await runOneAndWait();
    const { jobs } = under.shards.first.keys;
    const record = (await under.redis.hgetBuffer(jobs, id)) ?? assert.fail();
    await under.redis.hset(jobs, id, Buffer.alloc(300, 0xc1));
    assert.equal(await under.pool.succeed(leaseOf(running), {}), "accepted");
    assert.equal((await under.pool.get(running.id)).status, "SUCCESS");
    assert.deepEqual(under.faults, [id]);
    await under.redis.hset(jobs, id, record);
    await under.pool.end(id, "stop");
  });
});
