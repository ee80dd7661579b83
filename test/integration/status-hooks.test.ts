import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import { hookPatienceMs } from "@drydock/job-controller/domain/status-hook.ts";
import { toHookBody } from "@drydock/job-controller/grpc/hook-body.ts";
import { createHttpSender } from "@drydock/job-controller/hooks/http-sender.ts";
import { signatureOf } from "@drydock/job-controller/hooks/signature.ts";
import { HookDeliverer } from "@drydock/job-controller/upkeep/hook-deliverer.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { audit } from "../support/audit.ts";
import { type HookReceiver, startHookReceiver } from "../support/hook-receiver.ts";
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
const secret = Buffer.from("a secret of at least 24 bytes");

describe("status hooks", () => {
  let under: PoolUnderTest;
  let receiver: HookReceiver;
  let deliverers: HookDeliverer[] = [];
  const log: string[] = [];
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    await under.pool.hello(worker, workerInfo, []);
    receiver = await startHookReceiver();
  });
  afterEach(async () => {
    await Promise.all(deliverers.map((deliverer) => deliverer.stop()));
    deliverers = [];
    await receiver[Symbol.asyncDispose]();
    assert.deepEqual(await audit(under.redis, under.shards.first), []);
  });

  async function startDeliverer(): Promise<HookDeliverer> {
    const { hooks, pool, clock } = under;
    const destination = { write: (line: string) => log.push(line) };
    const logger = createLogger({ name: "test", level: "debug", format: "json", destination });
    const sender = createHttpSender({ secret, allowLinkLocal: false, breakerResetMs: 50 });
    const deliverer = new HookDeliverer({
      hooks,
      pool,
      sender,
      toBody: toHookBody,
      onSettled: () => {},
      clock,
      logger,
    });
    deliverers.push(deliverer);
    await deliverer.start();
    return deliverer;
  }
  const launch = async (statusHook = receiver.url) =>
    (await under.pool.launch({ ...demoJob, options: { ...usualOptions, statusHook } })).id;
  async function run(jobId: string): Promise<HeldLease> {
    const { jobs } = await under.pool.claim(worker, demoTypes, 1_000);
    return leaseOf(jobs.find(({ id }) => id === jobId) ?? assert.fail());
  }
  const received = () =>
    receiver.received.map(({ status, checkIn }) => `${status.replace("JOB_STATUS_", "")} ${checkIn}`.trim());
  const stands = async (id: string) => (await under.pool.get(id)).hookStatus;
  /** Lets the time go on until the hook stands like this. */
  const standsAs = (id: string, wanted: string, stepMs = 0) =>
    until(
      wanted,
      async () => {
        under.clock.advance(stepMs);
        for (const deliverer of deliverers) deliverer.wakeAt(under.clock.now());
        return stands(id);
      },
      (status) => status === wanted,
    );

  test("tell of each change in its order, once, and of the job as it stands", async () => {
    const id = await launch();
    assert.equal(await stands(id), "PENDING");
    const lease = await run(id);
    await under.pool.checkIn(lease, { text: "half" });
    await under.pool.succeed(lease, { text: "all" });
    await startDeliverer();
    await standsAs(id, "DELIVERED");
    assert.deepEqual(received(), ["PENDING", "RUNNING", "RUNNING half", "SUCCESS all"]);
    const { metadata, job_id: jobId } = JSON.parse(receiver.received[0]?.body ?? "");
    assert.deepEqual([jobId, metadata.id, metadata.status], [id, id, "JOB_STATUS_SUCCESS"]);
    assert.deepEqual(await under.redis.keys("*hook*"), []);
  });

  test("are told at once while a controller runs", async () => {
    const deliverer = await startDeliverer();
    await until(
      "idle",
      () => under.redis.info("commandstats"),
      (stats) => stats.includes("eval"),
    );
    const begun = performance.now();
    const id = await launch();
    deliverer.wakeAt(under.clock.now());
    await until(
      "told",
      () => stands(id),
      (status) => status === "DELIVERED",
      { everyMs: 5 },
    );
    assert.ok(performance.now() - begun < 1_000);
  });

  test("are told when the receiver wants to hear of them again, and not before", async () => {
    receiver.answers.push(503);
    receiver.retryAfter = "20";
    const id = await launch();
    await startDeliverer();
    const dueAt = () => under.redis.zscore(`{drydock:0}:hook-due:${new URL(receiver.url).host}`, id);
    const begun = under.clock.now();
    await until("put off", dueAt, (score) => Number(score) === begun + 20_000);
    under.clock.advance(19_999);
    for (const deliverer of deliverers) deliverer.wakeAt(under.clock.now());
    assert.equal(receiver.received.length, 1);
    await standsAs(id, "DELIVERED", 1);
    assert.equal(receiver.received.length, 2);
  });

  test("are not told again what they took while Redis was away", async () => {
    const { promise: gate, resolve: answer } = Promise.withResolvers<void>();
    receiver.gate = gate;
    const id = await launch();
    await startDeliverer();
    await until("under way", received, ({ length }) => length === 1);
    await under.server.crash();
    answer();
    await until(
      "answered",
      () => receiver.received[0]?.answer,
      (status) => status === 200,
    );
    await under.server.resume();
    await until(
      "connected",
      () => under.redis.status,
      (status) => status === "ready",
    );
    await standsAs(id, "DELIVERED");
    assert.deepEqual(received(), ["PENDING"]);
  });

  test("cost a job without one nothing", async () => {
    const lease = await run(await launch(""));
    await under.pool.succeed(lease, { text: "done" });
    assert.equal(await stands(lease.jobId), "NONE");
    assert.deepEqual(await under.redis.keys("*hook*"), []);
  });

  test("leave out check-ins that a newer one has overtaken, and no change of the status", async () => {
    const id = await launch();
    const lease = await run(id);
    for (const text of ["one", "two", "three"]) await under.pool.checkIn(lease, { text });
    await under.pool.end(id, "stop");
    await under.pool.confirm(lease, "stop");
    await startDeliverer();
    await standsAs(id, "DELIVERED");
    assert.deepEqual(received(), ["PENDING", "RUNNING", "RUNNING three", "STOPPED three"]);
  });

  test("try an event again until it is taken, under the same id, and then no more", async () => {
    receiver.answers.push(500, 404, 302);
    const id = await launch();
    await startDeliverer();
    await standsAs(id, "DELIVERED", 1_000);
    assert.deepEqual(received(), ["PENDING", "PENDING", "PENDING", "PENDING"]);
    assert.equal(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size, 1);
    under.clock.advance(hookPatienceMs);
    assert.deepEqual((await under.hooks.due(10)).due, []);
  });

  test("reach a receiver that was down when it is up again, in order", async () => {
    const { url } = receiver;
    await receiver[Symbol.asyncDispose]();
    const id = await launch(url);
    await startDeliverer();
    const failures = () => under.redis.hget("{drydock:0}:hook-tries", id);
    await until("a failure", failures, (count) => Number(count) > 0);
    await under.pool.succeed(await run(id), {});
    receiver = await startHookReceiver(Number(new URL(url).port));
    await standsAs(id, "DELIVERED", 1_000);
    assert.deepEqual(received(), ["PENDING", "RUNNING", "SUCCESS"]);
  });

  test("are sent once by two controllers", async () => {
    await Promise.all([startDeliverer(), startDeliverer()]);
    const ids = await Promise.all(Array.from({ length: 100 }, () => launch()));
    for (const id of ids) await under.pool.end(id, "stop");
    for (const id of ids) await standsAs(id, "DELIVERED");
    assert.equal(receiver.received.length, 200);
    for (const id of ids) {
      const own = receiver.received.filter(({ jobId }) => jobId === id).map(({ status }) => status);
      assert.deepEqual(own, ["JOB_STATUS_PENDING", "JOB_STATUS_STOPPED"]);
    }
  });

  test("have failed after 24 hours, can be sent again, and show no secret in the log", async () => {
    receiver.answers.push(...Array.from({ length: 10_000 }, () => 500));
    const id = await launch();
    await startDeliverer();
    await standsAs(id, "FAILED", hookPatienceMs / 10);
    const tried = receiver.received.length;
    assert.ok(tried > 1);
    receiver.answers.length = 0;
    assert.equal(await under.hooks.redeliver(id), 1);
    assert.equal(await under.hooks.redeliver(id), 0);
    await standsAs(id, "DELIVERED", 100);
    assert.equal(receiver.received.length, tried + 1);
    assert.ok(log.some((line) => line.includes("given up") && line.includes(new URL(receiver.url).host)));
    assert.ok(!log.some((line) => line.includes("token=")));
  });

  test("tell nothing more to a receiver that answers 410, until they are to be sent again", async () => {
    receiver.answers.push(410);
    const id = await launch();
    await startDeliverer();
    await standsAs(id, "GONE");
    await under.pool.end(id, "stop");
    assert.deepEqual(await under.redis.keys("{drydock:0}:hook-due:*"), []);
    assert.equal(await under.hooks.redeliver(id), 2);
    await standsAs(id, "DELIVERED");
    assert.deepEqual(received(), ["PENDING", "PENDING", "STOPPED"]);
  });

  test("are signed by Standard Webhooks", async () => {
    const id = await launch();
    await startDeliverer();
    await standsAs(id, "DELIVERED");
    const { headers, body } = receiver.received[0] ?? assert.fail();
    const timestamp = Number(headers["webhook-timestamp"]);
    assert.equal(timestamp, Math.floor(under.clock.now() / 1_000));
    assert.equal(headers["webhook-id"], `${id}.1`);
    assert.equal(headers["webhook-signature"], signatureOf(secret, { id: `${id}.1`, timestamp, body }));
  });

  test("do not count a try that the end of the controller cut short, not even the last one", async () => {
    const gate = Promise.withResolvers<void>();
    receiver.gate = gate.promise;
    const id = await launch();
    under.clock.advance(hookPatienceMs);
    const deliverer = await startDeliverer();
    await until("under way", received, ({ length }) => length === 1);
    await deliverer.stop(AbortSignal.abort());
    gate.resolve();
    assert.equal(await stands(id), "PENDING");
    assert.equal(await under.redis.exists("{drydock:0}:hook-tries"), 0);
    under.clock.advance(20_000);
    await startDeliverer();
    await standsAs(id, "DELIVERED");
  });

  test("end what is under way before they stop", async () => {
    const gate = Promise.withResolvers<void>();
    receiver.gate = gate.promise;
    const id = await launch();
    const deliverer = await startDeliverer();
    await until(
      "under way",
      () => receiver.received.length,
      (count) => count === 1,
    );
    const stopped = deliverer.stop();
    gate.resolve();
    await stopped;
    assert.equal(await stands(id), "DELIVERED");
  });
});
