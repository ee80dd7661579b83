import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HeldLease, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { newReport } from "../support/new-report.ts";
import { demoJob, demoTypes, finalFailure, leaseOf, readReport, workerInfo, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");
const hourMs = 3_600_000;

for (const shards of [1, 3]) {
  describe(`ended jobs that are in the way, with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    /** A job that runs, with a log and a report. */
    async function run(options = {}): Promise<HeldLease> {
      await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } });
      await under.pool.hello(worker, workerInfo, []);
      const [job = assert.fail()] = (await under.pool.claim(worker, demoTypes, 1)).jobs;
      const lease = leaseOf(job);
      await under.logs.append(lease, 0, "a line\n");
      await under.reports.put(lease, newReport(lease.jobId, "sha256:1", Buffer.from("gzip")));
      return lease;
    }

    const isThere = async ({ jobId }: Pick<HeldLease, "jobId">) =>
      (await under.pool.get(jobId).catch(() => undefined)) !== undefined;

    test("go the oldest first, whatever their status and shard, with their logs and reports", async () => {
      const ends = [
        (lease: HeldLease) => under.pool.succeed(lease, {}),
        (lease: HeldLease) => under.pool.fail(lease, finalFailure, {}),
        (lease: HeldLease) => under.pool.end(lease.jobId, "cancel").then(() => under.pool.confirm(lease, "cancel")),
        (lease: HeldLease) => under.pool.end(lease.jobId, "stop").then(() => under.pool.confirm(lease, "stop")),
      ];
      const leases: HeldLease[] = [];
      for (let at = 0; at < 12; at++) {
        const lease = await run();
        await ends[at % 4]?.(lease);
        leases.push(lease);
        under.clock.advance(10);
      }
      for (let left = 12; left > 0; ) {
        const before = await under.pool.endOfOldest(1);
        const removed = await under.pool.relieve(before ?? 0);
        assert.ok(removed >= 1);
        left -= removed;
        const there = await Promise.all(leases.map(isThere));
        assert.deepEqual(there, [...Array(12 - left).fill(false), ...Array(left).fill(true)]);
      }
      assert.equal(await under.pool.endOfOldest(1), undefined);
      for (const { jobId } of leases) {
        assert.equal((await under.logs.read(jobId, 0)).text, "");
        assert.equal(await readReport(under.reports, jobId), undefined);
      }
      assert.equal(
        await readReport(under.reports, (await under.reports.newestOf("sha256:1"))[0]?.reportId ?? ""),
        undefined,
      );
    });

    test("are never such as have not ended", async () => {
      const running = await run();
      const waiting = await under.pool.launch(demoJob);
      const retried = await run();
      await under.pool.fail(retried, finalFailure, {});
      await under.pool.retry(retried.jobId);
      under.clock.advance(30 * 24 * hourMs);
      assert.equal(await under.pool.relieve(under.clock.now() + 1), 0);
      for (const jobId of [running.jobId, waiting.id, retried.jobId]) assert.ok(await isThere({ jobId }));
    });

    test("stay for an hour when their launch may be asked for again, and as long as their hook knows nothing", async () => {
      const asked = await run({ requestKey: "request" });
      await under.pool.succeed(asked, {});
      const hooked = await run({ statusHook: "http://hooks.test/" });
      await under.pool.succeed(hooked, {});
      const plain = await run();
      await under.pool.succeed(plain, {});
      under.clock.advance(1);
      assert.equal(await under.pool.relieve(under.clock.now()), 1);
      assert.deepEqual(await Promise.all([asked, hooked, plain].map(isThere)), [true, true, false]);
      under.clock.advance(hourMs);
      assert.equal(await under.pool.relieve(under.clock.now()), 1);
      assert.deepEqual(await Promise.all([asked, hooked, plain].map(isThere)), [false, true, false]);
    });
  });
}
