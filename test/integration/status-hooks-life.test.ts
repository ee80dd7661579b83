import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { Schedule } from "@drydock/job-controller/domain/schedule.ts";
import { toHookBody } from "@drydock/job-controller/grpc/hook-body.ts";
import type { DueHook } from "@drydock/job-controller/ports/hook-outbox.ts";
import type { HookMessage, HookSender } from "@drydock/job-controller/ports/hook-sender.ts";
import { HookDeliverer } from "@drydock/job-controller/upkeep/hook-deliverer.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { audit } from "../support/audit.ts";
import {
  demoJob,
  demoTypes,
  leaseOf,
  type PoolUnderTest,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";
import { until } from "../support/until.ts";

const worker = workerNamed("w1");
const options = { ...usualOptions, statusHook: "http://127.0.0.1/hook" };
const schedule: Schedule = {
  ...{ cronSpec: "@daily", timeZone: "UTC", overlap: "ALLOW", catchUpMs: 0, jitterMs: 0, startAt: 0, endAt: 0 },
};

describe("what a status hook is still to be told", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    await under.pool.hello(worker, workerInfo, []);
  });

  const launch = async () => (await under.pool.launch({ ...demoJob, options })).id;
  const next = async (): Promise<DueHook> => (await under.hooks.due(1)).due[0] ?? assert.fail("nothing is due");
  /** Takes all that is due, one after the other. */
  async function takeAll(): Promise<DueHook[]> {
    const taken: DueHook[] = [];
    for (;;) {
      const { due } = await under.hooks.due(10);
      if (due.length === 0) return taken;
      for (const hook of due) await under.hooks.settle(hook, { kind: "delivered" }, "");
      taken.push(...due);
    }
  }
  const reported = (hooks: readonly DueHook[]) => hooks.map(({ event }) => event.status);

  test("stays, and goes on with its new life, when the job is retried", async () => {
    const id = await launch();
    await under.pool.claim(worker, demoTypes, 1);
    const lease = leaseOf(await under.pool.get(id));
    await under.pool.checkIn(lease, { text: "half" });
    await under.pool.end(id, "cancel");
    await under.pool.confirm(lease, "cancel");
    const inFlight = await next();
    await under.pool.retry(id);
    await under.hooks.settle(inFlight, { kind: "delivered" }, "");
    const events = [inFlight, ...(await takeAll())];
    assert.deepEqual(reported(events), ["PENDING", "RUNNING", "RUNNING", "CANCELLED", "PENDING"]);
    const sequences = events.map(({ event }) => event.sequence);
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    );
    assert.equal((await under.pool.get(id)).hookStatus, "DELIVERED");
  });

  test("is told although an event of the life before has failed, which is still listed", async () => {
    const id = await launch();
    await under.pool.end(id, "cancel");
    await under.hooks.settle(await next(), { kind: "failed" }, "HTTP 500");
    await under.pool.retry(id);
    assert.deepEqual(reported(await takeAll()), ["CANCELLED", "PENDING"]);
    const [failed] = await under.hooks.failed("", 10);
    assert.deepEqual([failed?.jobId, failed?.events, failed?.cause], [id, 1, "HTTP 500"]);
  });

  test("is of each job that a periodic job launches, and of the periodic job only when it ends", async () => {
    const dueAt = under.clock.now() + 1_000;
    const periodic = { ...options, kind: "PERIODIC" as const, runAt: dueAt, schedule };
    const { id } = await under.pool.launch({ ...demoJob, options: periodic });
    under.clock.advance(1_000);
    const due = { jobId: id, name: "DEMO", dueAt, schedule };
    await under.schedules.fire(due, { runAt: dueAt, nextAt: dueAt + 1_000, missed: 0 });
    await under.schedules.fire({ ...due, dueAt: dueAt + 1_000 }, { runAt: dueAt, nextAt: 0, missed: 0 });
    const byJob = Map.groupBy(await takeAll(), ({ jobId }) => jobId);
    assert.deepEqual(reported(byJob.get(id) ?? []), ["SCHEDULED", "STOPPED"]);
    const executions = [...byJob.keys()].filter((jobId) => jobId !== id);
    assert.equal(executions.length, 2);
    for (const jobId of executions) {
      assert.deepEqual(reported(byJob.get(jobId) ?? []), ["PENDING"]);
      assert.equal((await under.pool.get(jobId)).upstreamJobId, id);
    }
  });

  test("waits for the delivery in flight when failed events are sent again", async () => {
    const id = await launch();
    await under.hooks.settle(await next(), { kind: "failed" }, "HTTP 500");
    await under.pool.end(id, "stop");
    const inFlight = await next();
    assert.equal(await under.hooks.redeliver(id), 1);
    assert.deepEqual((await under.hooks.due(1)).due, []);
    await under.hooks.settle(inFlight, { kind: "delivered" }, "");
    assert.deepEqual(reported(await takeAll()), ["PENDING"]);
    assert.equal((await under.pool.get(id)).hookStatus, "DELIVERED");
  });

  test("is tried soon and for a day when failed events are sent again, although the receiver asked for an hour", async () => {
    const { clock, hooks, pool } = under;
    const id = await launch();
    await hooks.settle(await next(), { kind: "failed" }, "HTTP 500");
    await pool.end(id, "stop");
    await hooks.settle(await next(), { kind: "retry", at: clock.now() + 3_600_000 }, "HTTP 503");
    clock.advance(1_000);
    const redeliveredAt = clock.now();
    await hooks.redeliver(id);
    clock.advance(20_000);
    assert.equal((await next()).event.at, redeliveredAt);
  });

  test("is tried at once when it waits for its next try and is to be sent again", async () => {
    const { clock, hooks } = under;
    const id = await launch();
    await hooks.settle(await next(), { kind: "retry", at: clock.now() + 600_000 }, "HTTP 503");
    assert.equal(await hooks.redeliver(id), 0);
    assert.deepEqual(await hooks.failed("", 9), []);
    const { failures } = await next();
    assert.equal(failures, 0);
    await hooks.redeliver(id);
    assert.deepEqual((await hooks.due(9)).due, [], "not while it is in flight");
  });

  test("is sent again in the order of the events, also what was given up while others were sent again", async () => {
    const { hooks, pool } = under;
    const id = await launch();
    await hooks.settle(await next(), { kind: "failed" }, "HTTP 500");
    await pool.end(id, "cancel");
    const inFlight = await next();
    await hooks.redeliver(id);
    await hooks.settle(inFlight, { kind: "failed" }, "HTTP 500");
    await pool.retry(id);
    await hooks.redeliver(id);
    assert.deepEqual(
      (await takeAll()).map(({ event }) => event.sequence),
      [1, 2, 3],
    );
  });

  test("leaves nothing behind when it had been given up by another controller before its delivery was known", async () => {
    const id = await launch();
    const first = await next();
    under.clock.advance(20_000);
    await under.hooks.settle(await next(), { kind: "failed" }, "HTTP 500");
    assert.equal((await under.pool.get(id)).hookStatus, "FAILED");
    await under.hooks.settle(first, { kind: "delivered" }, "");
    assert.equal((await under.pool.get(id)).hookStatus, "DELIVERED");
    assert.deepEqual(await under.redis.keys("*hook*"), []);
  });

  test("is kept whole when a receiver is gone with a thousand events, and sent again in order", async () => {
    const id = await launch();
    for (let at = 0; at < 500; at++) {
      await under.pool.end(id, "cancel");
      await under.pool.retry(id);
    }
    await under.hooks.settle(await next(), { kind: "gone" }, "HTTP 410");
    await under.pool.end(id, "stop");
    assert.equal((await under.hooks.failed("", 1))[0]?.events, 1_000);
    assert.equal(await under.hooks.redeliver(id), 1_000);
    const sequences = (await takeAll()).map(({ event }) => event.sequence);
    assert.deepEqual(
      sequences,
      Array.from({ length: 1_000 }, (_, at) => at + 3),
      "the newest thousand",
    );
    assert.deepEqual(await under.redis.keys("*hook*"), []);
  });

  test("is told soon although thousands are due for a receiver that is slow", async () => {
    for (let at = 0; at < 20; at++) await Promise.all(Array.from({ length: 100 }, launch));
    under.clock.advance(1);
    const late = await launch();
    const rounds = [(await under.hooks.due(1)).due, (await under.hooks.due(1)).due].flat();
    assert.ok(rounds.some(({ jobId }) => jobId === late));
    assert.ok(
      rounds.some(({ jobId }) => jobId !== late),
      "and what is due the longest is not left behind",
    );
  });

  test("is told once and in order, of many jobs at a time, when thousands are due at once", async () => {
    const ids = await Promise.all(Array.from({ length: 5_000 }, launch));
    await Promise.all(ids.map((id) => under.pool.end(id, "stop")));
    assert.equal((await under.hooks.counts()).waiting, 5_000);
    const leased: number[] = [];
    for (let round = 0; round < 3; round++) leased.push((await under.hooks.due(64)).due.length);
    assert.deepEqual(leased, [1, 15, 0], "one for a new host, and no more than its share");
    under.clock.advance(60_000);
    const sender = new CountingSender();
    const deliverer = new HookDeliverer({
      ...{ hooks: under.hooks, pool: under.pool, clock: under.clock, sender, toBody: toHookBody, onSettled() {} },
      logger: createLogger({ name: "test", level: "error", format: "json", destination: { write() {} } }),
    });
    await deliverer.start();
    await until("all is told", under.hooks.counts, ({ waiting }) => waiting === 0, { withinMs: 60_000 });
    await deliverer.stop();
    assert.deepEqual(sender.ids.toSorted(), ids.flatMap((id) => [`${id}.1`, `${id}.2`]).toSorted(), "each event once");
    const firsts = new Set<string>();
    for (const event of sender.ids) {
      const [id = "", sequence] = event.split(".");
      if (sequence === "1") firsts.add(id);
      else assert.ok(firsts.has(id), `${event} came first`);
    }
    assert.ok(sender.most > 1 && sender.most <= 16, `${sender.most} at once`);
    assert.deepEqual(await audit(under.redis, under.shards.first), []);
  });
});

/** Delivers everything, and notes what and how many at once. */
class CountingSender implements HookSender {
  readonly ids: string[] = [];
  most = 0;
  #inFlight = 0;

  async send({ id }: HookMessage): ReturnType<HookSender["send"]> {
    this.ids.push(id);
    this.most = Math.max(this.most, ++this.#inFlight);
    await new Promise((resolve) => setImmediate(resolve));
    this.#inFlight--;
    return { kind: "delivered" };
  }

  async stop(): Promise<void> {}
}
