import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type LaunchOptions, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { ClosedType } from "@drydock/job-controller/domain/worker.ts";
import { ClosedTypeExpirer } from "@drydock/job-controller/upkeep/expire-closed.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, leaseOf, workerInfo, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");
const logger = createLogger({ name: "test", level: "silent" });
const hourMs = 3_600_000;
const away = {
  jobName: "DEMO",
  reason: "SCANNER_UNREACHABLE",
  message: "Clair does not answer",
  isWorkerFault: false,
};

for (const shards of [1, 3]) {
  describe(`the patience with a type that every worker has closed, with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    const launch = async (options: Partial<LaunchOptions> = {}) =>
      (await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } })).id;
    const close = (closed: Omit<ClosedType, keyof typeof away>, who = worker) =>
      under.pool.hello(who, { ...workerInfo, closed: [{ ...away, ...closed }] }, []);
    const statusOf = async (id: string) => (await under.pool.get(id)).status;
    /** Time passes, in which the workers beat. */
    const pass = (ms: number) => under.clock.advance(ms);
    const expirer = (settleMs?: number) =>
      new ClosedTypeExpirer({ ...under, logger, ...(settleMs !== undefined && { settleMs }) });
    const expire = (signal = new AbortController().signal, by = expirer(0)) => by.run(signal);

    test("ends jobs that nobody ever claimed with the true cause, when each has waited for as long", async () => {
      const since = under.clock.now();
      const old = await Promise.all(
        Array.from({ length: 450 }, (_, at) => launch({ fairnessKey: `k${at % 250}`, priority: at % 3 })),
      );
      pass(hourMs);
      const young = await launch();
      await close({ since, patienceMs: 2 * hourMs });
      await expire();
      assert.equal(await statusOf(old[0] ?? ""), "PENDING", "one hour is no more than two");
      pass(hourMs + 1);
      await close({ since, patienceMs: 2 * hourMs });
      await expire();
      const { status, lastError, endedAt, attempt, token } = await under.pool.get(old[0] ?? "");
      assert.deepEqual([status, endedAt, attempt, token], ["ERROR", under.clock.now(), 0, 0]);
      const { reason, message } = away;
      assert.deepEqual(lastError, { reason, message, attempt: 0, at: under.clock.now() });
      const statuses = await Promise.all(old.map(statusOf));
      assert.deepEqual([...new Set(statuses)], ["ERROR"]);
      assert.equal(await statusOf(young), "PENDING");
      const [demo] = await under.queues.queues();
      assert.deepEqual([demo?.pending, demo?.lanes], [1, 1]);
      await under.pool.hello(worker, workerInfo, []);
      assert.deepEqual(
        (await under.pool.claim(worker, demoTypes, 9)).jobs.map(({ id }) => id),
        [young],
      );
    });

    test("begins with the last worker's closing, and is the longest of all; none is for ever", async () => {
      const [id, since] = [await launch(), under.clock.now()];
      pass(3 * hourMs);
      await close({ since, patienceMs: hourMs });
      for (const other of [
        { since: under.clock.now() - 1, patienceMs: hourMs },
        { since, patienceMs: 4 * hourMs },
        { since },
      ]) {
        await close(other, workerNamed("w2"));
        await expire();
        assert.equal(await statusOf(id), "PENDING", JSON.stringify(other));
      }
      await under.pool.hello(workerNamed("w2"), workerInfo, []);
      await expire();
      assert.equal(await statusOf(id), "PENDING", "one takes them");
      await under.pool.leave(workerNamed("w2"));
      await expire();
      assert.equal(await statusOf(id), "ERROR");
    });

    test("does not end while the worker that would run them restarts, whatever others closed before", async () => {
      const by = expirer();
      const { signal } = new AbortController();
      const id = await launch();
      pass(hourMs);
      const good = workerNamed("good");
      await close({ since: 1, patienceMs: 0 });
      await under.pool.hello(good, workerInfo, []);
      await expire(signal, by);
      await under.pool.leave(good);
      await expire(signal, by);
      pass(299_999);
      await close({ since: 1, patienceMs: 0 });
      await expire(signal, by);
      assert.equal(await statusOf(id), "PENDING");
      await under.pool.hello(good, workerInfo, []);
      await expire(signal, by);
      await under.pool.leave(good);
      pass(1);
      await expire(signal, by);
      assert.equal(await statusOf(id), "PENDING", "the time begins anew");
      pass(300_000);
      await close({ since: 1, patienceMs: 0 });
      await expire(signal, by);
      assert.equal(await statusOf(id), "ERROR");
    });

    test("begins anew with RetryJob, and leaves alone what runs, waits for its time, or is of a paused queue", async () => {
      const since = under.clock.now();
      await under.pool.hello(worker, workerInfo, []);
      const runs = await launch();
      const [claimed] = (await under.pool.claim(worker, demoTypes, 1)).jobs;
      const later = await launch({ kind: "SCHEDULED", runAt: under.clock.now() + 9 * hourMs });
      const retried = await launch();
      await under.pool.end(retried, "cancel");
      const waits = await launch();
      await under.queues.pause("DEMO", true);
      pass(2 * hourMs);
      await under.pool.retry(retried);
      const held = [{ jobId: runs, token: claimed?.token ?? 0 }];
      await under.pool.hello(worker, { ...workerInfo, closed: [{ ...away, since, patienceMs: hourMs }] }, held);
      const statuses = () => Promise.all([runs, later, retried, waits].map(statusOf));
      await expire();
      assert.deepEqual(await statuses(), ["RUNNING", "SCHEDULED", "PENDING", "PENDING"]);
      await under.queues.pause("DEMO", false);
      await expire(AbortSignal.abort());
      assert.equal(await statusOf(waits), "PENDING", "a controller that goes leaves it to the others");
      await expire();
      assert.deepEqual(await statuses(), ["RUNNING", "SCHEDULED", "PENDING", "ERROR"]);
      assert.equal(await under.pool.succeed(leaseOf({ id: runs, token: claimed?.token ?? 0 }), {}), "accepted");
    });
  });
}
