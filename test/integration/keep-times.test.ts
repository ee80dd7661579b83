import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HeldLease, type Job, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import { sweep } from "@drydock/job-controller/upkeep/sweeper.ts";
import { listJobs } from "@drydock/job-controller/usecases/list-jobs.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { newReport } from "../support/new-report.ts";
import { demoJob, demoTypes, finalFailure, leaseOf, readReport, workerNamed } from "../support/pool.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const keep = { SUCCESS: 2 * hourMs, STOPPED: 3 * hourMs, CANCELLED: 4 * hourMs, ERROR: 5 * hourMs };
const digest = `sha256:${"0".repeat(64)}`;
const worker = workerNamed("w1");

const ends: Record<
  keyof typeof keep,
  (under: ReturnType<typeof useAuditedPool>, lease: HeldLease) => Promise<unknown>
> = {
  SUCCESS: ({ pool }, lease) => pool.succeed(lease, { text: "done" }),
  ERROR: ({ pool }, lease) => pool.fail(lease, finalFailure, { text: "nearly" }),
  STOPPED: ({ pool }, lease) => pool.end(lease.jobId, "stop").then(() => pool.confirm(lease, "stop")),
  CANCELLED: ({ pool }, lease) => pool.end(lease.jobId, "cancel").then(() => pool.confirm(lease, "cancel")),
};

for (const shards of [1, 3]) {
  describe(`a job that has ended, with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    const claimOne = async (): Promise<HeldLease> => {
      const [job = assert.fail()] = (await under.pool.claim(worker, demoTypes, 1)).jobs;
      return leaseOf(job);
    };
    const launchSubJob = (parent: HeldLease, key: string) => {
      const policy = { ...noPolicy, queueTimeoutMs: 60_000 };
      const options = { ...usualOptions, uniqueKey: `key-${key}`, statusHook: "http://127.0.0.1/", policy };
      return under.pool.launchSubJob(parent, key, { ...demoJob, options: { ...options, labels: { team: "a" } } });
    };
    const tellHooks = async () => {
      for (let { due } = await under.hooks.due(9); due.length > 0; { due } = await under.hooks.due(9)) {
        for (const hook of due) await under.hooks.settle(hook, { kind: "delivered" }, "");
      }
    };

    /** A job that a job launched, with all that a job can have, and has ended so. */
    async function endJob(status: keyof typeof keep): Promise<{ parent: HeldLease; lease: HeldLease }> {
      await under.pool.launch({ ...demoJob, options: { ...usualOptions, requestKey: "request" } });
      const parent = await claimOne();
      await launchSubJob(parent, "child");
      const lease = await claimOne();
      await launchSubJob(lease, "grandchild");
      const grandchild = await claimOne();
      await under.pool.succeed(grandchild, {});
      await under.logs.append(lease, 0, "a line\n");
      await under.checkpoints.save(lease, "page 7");
      await under.reports.put(lease, newReport(lease.jobId, digest, Buffer.from("a report")));
      await ends[status](under, lease);
      await under.pool.endSubJobs();
      await tellHooks();
      return { parent, lease };
    }

    const sweepAll = () => sweep({ pool: under.pool, keep, clock: under.clock }, new AbortController().signal);

    /** Every key that names the job, or that has it anywhere within. */
    async function whereIs(jobId: string): Promise<string[]> {
      const keys = await under.redis.keys("*");
      const contents = await Promise.all(keys.map((key) => contentOf(key)));
      return keys.filter((key, at) => key.includes(jobId) || contents[at]?.includes(jobId)).sort();
    }

    async function contentOf(key: string): Promise<string> {
      const { redis } = under;
      const read: Record<string, () => Promise<unknown>> = {
        string: () => redis.get(key),
        list: () => redis.lrange(key, 0, -1),
        hash: () => redis.hgetall(key),
        set: () => redis.smembers(key),
        zset: () => redis.zrange(key, "0", "-1"),
        stream: () => redis.xrange(key, "-", "+"),
      };
      return JSON.stringify(await read[await redis.type(key)]?.());
    }

    for (const [status, keepMs] of Object.entries(keep) as Array<[keyof typeof keep, number]>) {
      test(`is there in full as long as one that is ${status} is kept, and then gone with all that is its own`, async () => {
        const { parent, lease } = await endJob(status);
        const { jobId } = lease;
        const ended = await under.pool.get(jobId);
        assert.deepEqual([ended.status, ended.hookStatus, ended.executions.length], [status, "DELIVERED", 1]);

        under.clock.advance(keepMs);
        await under.pool.freeKeys();
        await sweepAll();
        const kept = await under.pool.get(jobId);
        assert.deepEqual(withoutSubJobs(kept), withoutSubJobs(ended), "to the last millisecond");
        assert.equal((await under.logs.read(jobId, 0)).text, "a line\n");
        const list = (filter: { status?: JobStatus; upstreamJobId?: string }) =>
          listJobs(under.index, filter, { size: 9, token: "" });
        assert.ok((await list({ status })).jobs.some(({ id }) => id === jobId));

        under.clock.advance(1);
        await sweepAll();
        await assert.rejects(under.pool.get(jobId), { reason: "JOB_NOT_FOUND", message: /past its keep time/ });
        await assert.rejects(under.pool.retry(jobId), { reason: "JOB_NOT_FOUND" });
        assert.deepEqual((await list({ upstreamJobId: parent.jobId })).jobs, []);
        const left = (await whereIs(jobId)).map((key) => key.replace(/^.*?}:/, "").replace(/:.*/, ""));
        assert.deepEqual(left.sort(), ["image-entries", "images", "report", "sub-job-keys"], "its report");
        assert.deepEqual(
          (await under.reports.newestOf(digest)).map(({ reportId }) => reportId),
          [jobId],
        );
        assert.equal((await readReport(under.reports, jobId))?.toString(), "a report");
        const { executions, executionTotals } = await under.pool.get(parent.jobId);
        assert.deepEqual([executions, executionTotals], [[], { [status]: 1 }], "its parent counts it still");

        assert.notEqual((await launchSubJob(parent, "child")).id, jobId, "its parent can launch it anew");
        await under.pool.end(parent.jobId, "stop");
      });
    }

    test("is what its request answers for a day, however short its keep time is; then that launches another one", async () => {
      const launch = async () =>
        (await under.pool.launch({ ...demoJob, options: { ...usualOptions, requestKey: "request" } })).id;
      const id = await launch();
      await under.pool.end(id, "stop");
      const [key = assert.fail()] = (await whereIs(id)).filter((key) => key.includes(":request:"));
      const seconds = await under.redis.ttl(key);
      assert.ok(seconds > 86_000 && seconds <= 86_400, `${seconds} s`);
      for (const ms of [keep.STOPPED + 1, dayMs - keep.STOPPED - 2]) {
        under.clock.advance(ms);
        await sweepAll();
        assert.equal(await launch(), id);
      }
      under.clock.advance(hourMs);
      await sweepAll();
      await assert.rejects(under.pool.get(id), { reason: "JOB_NOT_FOUND" });
      assert.notEqual(await launch(), id);
    });
  });
}

/** The jobs that it launched go in their own time. */
function withoutSubJobs({ executions: _, ...job }: Job) {
  return job;
}
