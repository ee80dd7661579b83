import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type LaunchOptions, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { listJobs } from "@drydock/job-controller/usecases/list-jobs.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import {
  aSecond,
  demoJob,
  demoTypes,
  leaseOf,
  passingFailure,
  startJob,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const worker = workerNamed("w1");

describe("what the pool offers beyond a queue", () => {
  const under = useAuditedPool();

  const launch = async (options: Partial<LaunchOptions> = {}, name = "DEMO") =>
    (await under.pool.launch({ ...demoJob, name, options: { ...usualOptions, ...options } })).id;
  const claim = async (limit: number, types = demoTypes) =>
    (await under.pool.claim(worker, types, limit)).jobs.map(({ id }) => id);
  const statusOf = async (id: string) => (await under.pool.get(id)).status;

  test("higher priorities go first, equal ones in the order of their launch", async () => {
    const low = await launch({ priority: 1 });
    const [first, second] = [await launch(), await launch()];
    const high = await launch({ priority: 9 });
    assert.deepEqual(await claim(10), [high, first, second, low]);
  });

  test("a single job is not held up by the many of another key", async () => {
    for (let i = 0; i < 50; i++) await launch({ fairnessKey: "bulk" });
    await claim(10);
    const single = await launch();
    assert.equal((await claim(1))[0], single, "it gets the next free slot");
  });

  test("two keys share the slots evenly, whatever their numbers", async () => {
    const a = new Set<string>();
    for (let i = 0; i < 40; i++) a.add(await launch({ fairnessKey: "a" }));
    for (let i = 0; i < 10; i++) await launch({ fairnessKey: "b" });
    const claimed = await claim(20);
    const ofA = claimed.filter((id) => a.has(id)).length;
    assert.ok(ofA >= 9 && ofA <= 11, `${ofA} of 20`);
  });

  test("no more jobs of a type run than its limit, over all workers", async () => {
    for (let i = 0; i < 5; i++) await launch();
    await under.pool.hello(workerNamed("w2"), workerInfo, []);
    const types = [{ name: "DEMO", maxRunning: 3, maxOfKey: 0 }];
    const [one, two] = await Promise.all([
      under.pool.claim(worker, types, 2),
      under.pool.claim(workerNamed("w2"), types, 2),
    ]);
    assert.equal(one.jobs.length + two.jobs.length, 3);
    const done = one.jobs[0] ?? assert.fail();
    await under.pool.succeed(leaseOf(done), {});
    assert.equal((await claim(5, types)).length, 1);
  });

  test("a paused queue hands out nothing and goes on when it is resumed", async () => {
    const id = await launch();
    assert.equal(await under.queues.pause("DEMO", true), true);
    assert.equal(await under.queues.pause("DEMO", true), false);
    assert.deepEqual(await claim(1), []);
    assert.equal((await under.queues.queues())[0]?.paused, true);
    await under.queues.pause("DEMO", false);
    assert.deepEqual(await claim(1), [id]);
  });

  test("a queue tells how many jobs a minute are launched and end, and how long the next one has waited", async () => {
    const rateOf = async () => (await under.queues.rates()).get("DEMO");
    const oldestAt = async () => (await under.queues.queues())[0]?.oldestAt;
    under.clock.advance(60_000 - (under.clock.now() % 60_000));
    const begun = under.clock.now();
    const ids = await Promise.all([launch(), launch(), launch(), launch()]);
    under.clock.advance(30_000);
    assert.deepEqual(await rateOf(), { launchedPerMinute: 4 / 1.5, endedPerMinute: 0 });
    assert.equal(await oldestAt(), begun);
    const later = await launch();
    for (const id of ids) await under.pool.end(id, "stop");
    assert.equal(await oldestAt(), under.clock.now(), "those that were stopped left their places, and wait no more");
    under.clock.advance(60_000);
    assert.deepEqual(await rateOf(), { launchedPerMinute: 5 / 1.5, endedPerMinute: 4 / 1.5 });
    under.clock.advance(60_000);
    assert.equal(await rateOf(), undefined);
    assert.equal(await statusOf(later), "PENDING");
  });

  test("draining stops what waits, within its bound, and leaves alone what runs", async () => {
    const running = await startJob(under, worker);
    for (let i = 0; i < 5; i++) await launch({ priority: (i % 3) + 1 });
    const first = await under.queues.drain("DEMO", "", 3);
    assert.equal(first.stopped, 3);
    assert.deepEqual(await under.queues.drain("DEMO", first.next, 3), { stopped: 2, next: "" });
    assert.equal(await statusOf(running.jobId), "RUNNING");
  });

  test("a scheduled job waits for its time and is then the pool's like any other", async () => {
    const id = await launch({ kind: "SCHEDULED", runAt: under.clock.now() + 60_000 });
    assert.deepEqual([await statusOf(id), await claim(1)], ["SCHEDULED", []]);
    const { nextDueAt } = await under.pool.promote();
    assert.equal(nextDueAt, under.clock.now() + 60_000);
    under.clock.advance(60_000);
    assert.equal((await under.pool.promote()).count, 1);
    assert.deepEqual(await claim(1), [id]);
    assert.equal(
      await statusOf(await launch({ kind: "SCHEDULED", runAt: 1 })),
      "PENDING",
      "a time that is past is now",
    );
  });

  test("a unique job keeps others of its key out until it has ended, through retries too", async () => {
    const id = await launch({ uniqueKey: "k" });
    const taken = { reason: "JOB_ALREADY_EXISTS", facts: { metadata: { job_id: id } } };
    const refused = (error: { reason?: string; facts?: { metadata?: { job_id?: string } } }) =>
      error.reason === taken.reason && error.facts?.metadata?.job_id === id;
    await assert.rejects(launch({ uniqueKey: "k" }), refused);
    const { jobs } = await under.pool.claim(worker, demoTypes, 1);
    const lease = leaseOf({ id, token: jobs[0]?.token ?? 0 });
    await under.pool.fail(lease, passingFailure, {});
    await assert.rejects(launch({ uniqueKey: "k" }), refused);
    await under.pool.end(id, "cancel");
    const next = await launch({ uniqueKey: "k" });
    await assert.rejects(under.pool.retry(id), { reason: "JOB_ALREADY_EXISTS" });
    await under.pool.end(next, "stop");
    assert.equal((await under.pool.retry(id)).status, "PENDING");
    await assert.rejects(launch({ uniqueKey: "k" }), refused);
  });

  test("a launch that is repeated with its request id gives the same job, also when that has moved on", async () => {
    const id = await launch({ requestKey: "r" });
    assert.equal(await launch({ requestKey: "r" }), id);
    await under.pool.end(id, "stop");
    const again = await under.pool.launch({ ...demoJob, options: { ...usualOptions, requestKey: "r" } });
    assert.deepEqual([again.id, again.status], [id, "STOPPED"]);
    assert.notEqual(await launch({ requestKey: "other" }), id);
  });

  test("a launch says how often it may be tried, and after which reasons not at all", async () => {
    const policy = { ...noPolicy, maxAttempts: 1 };
    await launch({ policy });
    const { jobs } = await under.pool.claim(worker, demoTypes, 1);
    const once = jobs[0] ?? assert.fail();
    await under.pool.fail(leaseOf(once), passingFailure, {});
    assert.equal(await statusOf(once.id), "ERROR");

    await launch({ policy: { ...noPolicy, finalReasons: ["HANDLER_ERROR"], runTimeoutMs: 5_000 } });
    const other = (await under.pool.claim(worker, demoTypes, 1)).jobs[0] ?? assert.fail();
    assert.equal(other.runTimeoutMs, 5_000);
    await under.pool.fail(leaseOf(other), passingFailure, {});
    assert.equal(await statusOf(other.id), "ERROR");
  });

  test("a job that waits longer than its launch allows is in ERROR; one that began in time is not", async () => {
    const policy = { ...noPolicy, queueTimeoutMs: 1_000 };
    const begun = await launch({ policy });
    await claim(1);
    const late = await launch({ policy });
    under.clock.advance(1_000);
    assert.equal((await under.pool.expire()).count, 1);
    assert.deepEqual([await statusOf(begun), await statusOf(late)], ["RUNNING", "ERROR"]);
    assert.equal((await under.pool.get(late)).lastError?.reason, "QUEUE_TIMEOUT");
  });

  test("a postponed job uses no attempt", async () => {
    const lease = await startJob(under, worker);
    assert.equal(await under.pool.postpone(lease, { ...aSecond, delayMs: 500 }, {}), "accepted");
    const job = await under.pool.get(lease.jobId);
    assert.deepEqual([job.status, job.attempt, job.runAt], ["SCHEDULED", 0, under.clock.now() + 500]);
  });

  test("a parent shows how many of its jobs stand where", async () => {
    const parent = await startJob(under, worker);
    const child = await under.pool.launchSubJob(parent, "1", demoJob);
    await under.pool.launchSubJob(parent, "2", demoJob);
    await under.pool.end(child.id, "stop");
    assert.deepEqual((await under.pool.get(parent.jobId)).executionTotals, { PENDING: 1, STOPPED: 1 });
  });

  test("jobs that are stopped while they wait leave nothing in the queue", async () => {
    const ids: string[] = [];
    for (let at = 0; at < 300; at++) ids.push(await launch({ fairnessKey: at % 3 === 0 ? "a" : "" }));
    for (const id of ids.toSorted(() => Math.random() - 0.5)) await under.pool.end(id, "stop");
    for (const kind of ["ready", "lanes", "turns"]) assert.deepEqual(await under.redis.keys(`*${kind}:*`), []);
  });

  test("the oldest job is seen behind many lanes", async () => {
    const oldestAt = async () => (await under.queues.queues())[0]?.oldestAt;
    const begun = under.clock.now();
    await launch({ priority: 1 });
    under.clock.advance(5_000);
    for (let at = 0; at < 100; at++) await launch({ fairnessKey: `k${at}` });
    assert.equal(await oldestAt(), begun);
  });

  test("lists jobs in pages that stay right while jobs come and go", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      under.clock.advance(10);
      ids.unshift(await launch({ labels: { even: String(i % 2 === 0) } }));
    }
    const first = await listJobs(under.index, { name: "DEMO" }, { size: 3, token: "" });
    await launch();
    const second = await listJobs(under.index, { name: "DEMO" }, { size: 10, token: first.nextPageToken });
    assert.deepEqual(
      [...first.jobs, ...second.jobs].map(({ id }) => id),
      ids,
    );
    assert.equal(second.nextPageToken, "");
    const even = await listJobs(under.index, { labels: { even: "true" } }, { size: 10, token: "" });
    assert.equal(even.jobs.length, 4);
    const other = listJobs(under.index, { name: "OTHER" }, { size: 3, token: first.nextPageToken });
    await assert.rejects(other, { reason: "FIELD_INVALID" });
    const tampered = listJobs(under.index, { name: "DEMO" }, { size: 3, token: `${first.nextPageToken}x` });
    await assert.rejects(tampered, { reason: "FIELD_INVALID" });
  });

  test("lists the jobs of a status and those that a job launched", async () => {
    const parent = await startJob(under, worker);
    const child = await under.pool.launchSubJob(parent, "1", demoJob);
    const stopped = await launch();
    await under.pool.end(stopped, "stop");
    const page = { size: 10, token: "" };
    const idsOf = async (filter: Parameters<typeof listJobs>[1]) =>
      (await listJobs(under.index, filter, page)).jobs.map(({ id }) => id);
    assert.deepEqual(await idsOf({ status: "STOPPED" }), [stopped]);
    assert.deepEqual(await idsOf({ status: "RUNNING" }), [parent.jobId]);
    assert.deepEqual(await idsOf({ upstreamJobId: parent.jobId }), [child.id]);
    assert.deepEqual(await idsOf({ status: "SUCCESS" }), []);
  });

  test("lists what runs without a look at all that there ever was, in pages that stay right", async () => {
    const { pool, clock, index } = under;
    for (let at = 0; at < 30; at++) {
      clock.advance(1);
      await launch();
    }
    const jobs = await claim(20);
    for (let at = 0; at < 30; at++) await launch();
    const list = (token: string) => listJobs(index, { status: "RUNNING" }, { size: 6, token });
    const seen: string[] = [];
    for (let token = "", first = true; first || token !== ""; first = false) {
      const page = await list(token);
      seen.push(...page.jobs.map(({ id }) => id));
      token = page.nextPageToken;
      // the oldest ends, another one begins
      const last = await pool.get(jobs.shift() ?? "");
      await pool.succeed(leaseOf(last), {});
      await claim(1);
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.deepEqual(seen, seen.toSorted().reverse(), "the newest first");
    for (const id of jobs) assert.ok(seen.includes(id), "what stood still is there");
  });

  test("removes ended jobs with all that is theirs once their keep time is over, and none that came back", async () => {
    const { pool, logs, clock, redis } = under;
    const lease = await startJob(under, worker);
    await logs.append(lease, 0, "a line\n");
    await pool.succeed(lease, {});
    const waiting = await launch();
    const retried = await launch();
    await pool.end(retried, "cancel");
    await pool.retry(retried);
    clock.advance(1);
    const now = clock.now();
    assert.equal((await pool.sweep("SUCCESS", now, now)).count, 1);
    assert.equal((await pool.sweep("CANCELLED", now, now)).count, 0);
    await assert.rejects(pool.get(lease.jobId), { reason: "JOB_NOT_FOUND" });
    assert.deepEqual([await statusOf(waiting), await statusOf(retried)], ["PENDING", "PENDING"]);
    assert.deepEqual(await redis.keys(`*${lease.jobId}*`), []);
  });
});
