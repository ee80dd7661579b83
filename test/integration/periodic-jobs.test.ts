import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { type ClaimedJob, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { Schedule } from "@drydock/job-controller/domain/schedule.ts";
import { fireSchedules, nextTimes, resumeSchedule } from "@drydock/job-controller/usecases/fire-schedules.ts";
import { audit } from "../support/audit.ts";
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

const minuteMs = 60_000;
const everyMinute: Schedule = {
  cronSpec: "* * * * *",
  timeZone: "UTC",
  overlap: "SKIP",
  catchUpMs: minuteMs,
  jitterMs: 0,
  startAt: 0,
  endAt: 0,
};

describe("a periodic job", () => {
  let under: PoolUnderTest;
  /** What the worker was given. */
  let heldNow: ClaimedJob[];
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(async () => {
    heldNow = [];
    await under.redis.flushall();
  });
  afterEach(async () => {
    assert.deepEqual(await audit(under.redis, under.shards.first), []);
  });

  const launch = async (schedule: Partial<Schedule> = {}) => {
    const whole = { ...everyMinute, ...schedule };
    const runAt = under.clock.now() + minuteMs;
    const options = { ...usualOptions, kind: "PERIODIC", runAt, schedule: whole } as const;
    return (await under.pool.launch({ ...demoJob, options })).id;
  };
  /** Moves the clock on and lets several controllers do what is due, at once. */
  const pass = async (ms: number) => {
    under.clock.advance(ms);
    await Promise.all([fireSchedules(under), fireSchedules(under), fireSchedules(under)]);
    await under.pool.promote();
  };
  const countsOf = async (id: string) => {
    const { periodicCounts, executions } = await under.pool.get(id);
    const { launched, missed, skipped } = periodicCounts ?? assert.fail();
    return { launched, missed, skipped, executions: executions.length };
  };
  const claim = async (limit: number) => {
    const held = heldNow.map(({ id, token }) => ({ jobId: id, token }));
    await under.pool.hello(workerNamed("w1"), workerInfo, held);
    const { jobs } = await under.pool.claim(workerNamed("w1"), demoTypes, limit);
    heldNow.push(...jobs);
    return jobs;
  };
  const runAll = async () => {
    const jobs = await claim(100);
    for (const { id, token } of jobs) await under.pool.succeed(leaseOf({ id, token }), {});
    return jobs.length;
  };

  test("launches one job at each of its times, however many controllers try", async () => {
    const id = await launch();
    for (let i = 0; i < 3; i++) {
      await pass(minuteMs);
      assert.equal(await runAll(), 1);
    }
    assert.deepEqual(await countsOf(id), { launched: 3, missed: 0, skipped: 0, executions: 3 });
    const job = await under.pool.get(id);
    assert.deepEqual([job.status, job.runAt], ["SCHEDULED", under.clock.now() + minuteMs]);
    const child = await under.pool.get(job.executions[0] ?? "");
    assert.deepEqual([child.upstreamJobId, child.parametersJson], [id, demoJob.parametersJson]);
    assert.deepEqual(
      nextTimes(job, 3),
      [1, 2, 3].map((count) => under.clock.now() + count * minuteMs),
    );
  });

  test("makes up for times that nobody was there for by one job", async () => {
    const id = await launch();
    await pass(10 * minuteMs);
    assert.deepEqual(await countsOf(id), { launched: 1, missed: 9, skipped: 0, executions: 1 });
  });

  test("launches each time without any catch-up too, a little late as controllers are, but none that it missed", async () => {
    const id = await launch({ catchUpMs: 0 });
    await pass(minuteMs + 1);
    assert.equal(await runAll(), 1);
    await pass(minuteMs + 4_999);
    assert.equal(await runAll(), 1);
    await pass(minuteMs + 20_000);
    assert.deepEqual(await countsOf(id), { launched: 2, missed: 1, skipped: 0, executions: 2 });
  });

  test("leaves out a time while the job before is alive", async () => {
    const id = await launch();
    await pass(minuteMs);
    await pass(minuteMs);
    assert.deepEqual(await countsOf(id), { launched: 1, missed: 0, skipped: 1, executions: 1 });
  });

  test("launches at each time, whatever is alive, when its policy says so", async () => {
    const id = await launch({ overlap: "ALLOW" });
    for (let i = 0; i < 3; i++) await pass(minuteMs);
    assert.deepEqual(await countsOf(id), { launched: 3, missed: 0, skipped: 0, executions: 3 });
  });

  test("puts each launch off at random by at most its jitter, and its own times not at all", async () => {
    const jitterMs = 30_000;
    const ids = await Promise.all(Array.from({ length: 20 }, () => launch({ jitterMs })));
    await pass(minuteMs);
    const dueAt = under.clock.now();
    const delays: number[] = [];
    for (const id of ids) {
      const { runAt, executions } = await under.pool.get(id);
      assert.equal(runAt, dueAt + minuteMs - (dueAt % minuteMs));
      const launched = await under.pool.get(executions[0] ?? "");
      assert.ok(launched.status === "SCHEDULED" || launched.runAt === 0, "it waits for its time");
      assert.equal(launched.scheduledFor, dueAt, "the time that was due, whatever the jitter");
      delays.push(launched.runAt === 0 ? 0 : launched.runAt - dueAt);
    }
    assert.ok(Math.min(...delays) >= 0 && Math.max(...delays) < jitterMs, delays.join());
    assert.ok(Math.max(...delays) - Math.min(...delays) > jitterMs / 10, `drawn for each anew: ${delays}`);
    under.clock.advance(jitterMs);
    await under.pool.promote();
    assert.equal(await runAll(), ids.length);
  });

  test("says of each job for which time it runs, also when that had to wait or was made up for", async () => {
    const id = await launch({ overlap: "QUEUE_ONE", catchUpMs: 10 * minuteMs });
    await pass(3 * minuteMs);
    const madeUpFor = under.clock.now() - (under.clock.now() % minuteMs);
    await pass(minuteMs);
    await runAll();
    const { executions } = await under.pool.get(id);
    const times = await Promise.all(executions.map(async (child) => (await under.pool.get(child)).scheduledFor));
    assert.deepEqual(times, [madeUpFor, madeUpFor + minuteMs]);
  });

  test("launches nothing while it is paused and goes on with its next time", async () => {
    const id = await launch();
    assert.equal((await under.schedules.pause(id)).periodicCounts?.paused, true);
    await pass(5 * minuteMs);
    assert.equal((await countsOf(id)).launched, 0);
    assert.deepEqual(await under.schedules.list("", 10), [id]);
    await resumeSchedule(under, await under.pool.get(id));
    await pass(minuteMs);
    assert.deepEqual(await countsOf(id), { launched: 1, missed: 0, skipped: 0, executions: 1 });
  });

  test("is over when its end time has come", async () => {
    const id = await launch({ endAt: under.clock.now() + minuteMs });
    await pass(minuteMs);
    assert.equal((await under.pool.get(id)).status, "STOPPED");
    assert.equal((await countsOf(id)).launched, 1);
  });

  test("is over when it is resumed later than its last time, and launches nothing", async () => {
    const id = await launch({ endAt: under.clock.now() + 90_000, catchUpMs: 365 * 24 * 60 * minuteMs });
    await under.schedules.pause(id);
    // before the end, and with no further time before it
    under.clock.advance(80_000);
    assert.equal((await resumeSchedule(under, await under.pool.get(id))).status, "STOPPED");
    await pass(0);
    await pass(5 * minuteMs);
    assert.deepEqual(await countsOf(id), { launched: 0, missed: 0, skipped: 0, executions: 0 });
  });

  for (const [command, status] of [
    ["stop", "STOPPED"],
    ["cancel", "CANCELLED"],
  ] as const) {
    test(`takes along what waits of the jobs that it launched at a ${command}, and lets go on what runs`, async () => {
      const id = await launch({ overlap: "ALLOW" });
      await pass(minuteMs);
      const [running = assert.fail()] = await claim(1);
      await pass(minuteMs);
      const [failed = assert.fail()] = await claim(1);
      await under.pool.fail(leaseOf(failed), passingFailure, {});
      under.clock.advance(minuteMs);
      await fireSchedules(under);
      await under.pool.end(id, command);
      await under.pool.endSubJobs();
      assert.deepEqual((await under.pool.get(id)).executionTotals, { RUNNING: 1, [status]: 2 });
      const { command: asked } = await under.pool.get(running.id);
      assert.equal(asked, undefined);
      assert.equal(await under.pool.succeed(leaseOf(running), {}), "accepted");
      await pass(minuteMs);
      assert.equal((await countsOf(id)).launched, 3);
      await assert.rejects(under.pool.retry(id), { reason: "JOB_STATUS_FORBIDS" });
    });
  }

  test("stops a job that waited at its stop, although a worker was quicker", async () => {
    const id = await launch();
    await pass(minuteMs);
    await under.pool.end(id, "stop");
    under.clock.advance(1);
    const [{ id: begun, token } = assert.fail()] = await claim(1);
    await under.pool.endSubJobs();
    assert.equal((await under.pool.get(begun)).command, "stop");
    await under.pool.confirm(leaseOf({ id: begun, token }), "stop");
  });
});
