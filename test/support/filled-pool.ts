import type { PolicyRules } from "@drydock/job-controller/domain/image-policy.ts";
import { type HeldLease, type LaunchOptions, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { createJobId } from "@drydock/job-controller/domain/job-id.ts";
import { type IndexedFinding, type IndexedReport, reportIdOf } from "@drydock/job-controller/domain/report-entry.ts";
import type { Schedule } from "@drydock/job-controller/domain/schedule.ts";
import { createRedisJobTypeStore } from "@drydock/job-controller/redis/operators/job-type-store.ts";
import { createRedisFirstFoundStore } from "@drydock/job-controller/redis/policies/first-found-store.ts";
import { createRedisPolicyStore } from "@drydock/job-controller/redis/policies/policy-store.ts";
import { checkPoolFormat } from "@drydock/job-controller/redis/pool-format.ts";
import { newReport } from "./new-report.ts";
import { demoJob, leaseOf, type PoolUnderTest, startJob, workerInfo, workerNamed } from "./pool.ts";

/** Number of entries in each key, so that the cost of the key itself does not count. */
const many = 200;
/** As long as those of a scan. */
const parametersJson = JSON.stringify({ image: "demo", text: "x".repeat(222) });
const worker = workerNamed("worker-1");

const schedule: Schedule = {
  ...{ cronSpec: "@daily", timeZone: "UTC", overlap: "ALLOW", catchUpMs: 0, jitterMs: 0, startAt: 0, endAt: 0 },
};

/** Does what leaves a key of each kind behind, with many entries in each that can have many. */
export async function fillPool(under: PoolUnderTest): Promise<void> {
  await checkPoolFormat(under.redis.eval.bind(under.redis), under.shards.count);
  const lease = await startJob(under, worker);
  await fillJobs(under);
  await fillLimited(under);
  await fillBelongings(under, lease);
  await fillReports(under, lease);
  await fillRefusals(under);
  await fillSchedules(under);
  await fillHooks(under);
  await fillPolicies(under);
  const { pool, queues, redis, shards } = under;
  await fillReservations(under);
  await pool.reap();
  await pool.end(lease.jobId, "stop");
  for (let at = 0; at < many; at++) await pool.hello(workerNamed(`idle-${at}`), workerInfo, []);
  await shards.first.run("queue/take-turn", "LIMITED", "a controller", 60_000);
  await queues.pause("DEMO", true);
  for (let at = 0; at < many; at++)
    await pool.hello(workerNamed("restarted", `process-${at}`.padEnd(36, "x")), workerInfo, []);
  await pool.drainWorker("restarted");
  const numbers = { maxFails: 4, maxRunning: 0, maxKeyPercent: 0, isSingleton: false };
  const type = { name: "DEMO", description: "", parametersSchema: "{}", ...numbers, version: "1.0.0" };
  await createRedisJobTypeStore(redis).put([type]);
}

async function launchMany(under: PoolUnderTest, name: string, options: (at: number) => Partial<LaunchOptions>) {
  const launches = Array.from({ length: many }, (_, at) =>
    under.pool.launch({ ...demoJob, name, parametersJson, options: { ...usualOptions, ...options(at) } }),
  );
  return (await Promise.all(launches)).map(({ id }) => id);
}

async function fillJobs(under: PoolUnderTest): Promise<void> {
  const { pool, clock } = under;
  for (let at = 0; at < 5; at++) await launchMany(under, "DEMO", () => ({}));
  await launchMany(under, "DEMO", () => ({ kind: "SCHEDULED", runAt: clock.now() + 1_000 }));
  const policy = { ...noPolicy, queueTimeoutMs: 1_000 };
  await launchMany(under, "DEMO", (at) => ({ uniqueKey: `unique-key-of-22-chars${at}`.slice(-22), policy }));
  await launchMany(under, "DEMO", (at) => ({ requestKey: `request-key-of-22-char${at}`.slice(-22) }));
  for (const id of await launchMany(under, "DEMO", () => ({}))) await pool.end(id, "stop");
}

/** Reservations of another shard's jobs, and one that was withdrawn. */
async function fillReservations({ shards, clock }: PoolUnderTest): Promise<void> {
  const ticket = `${clock.now()}-1abcdef`;
  const ids = Array.from({ length: many }, () => createJobId(clock.now(), 1));
  const keyOf = (at: number) => `reserved-key-of-22-chr${at}`.slice(-22);
  await Promise.all(ids.map((id, at) => shards.first.run("unique/reserve", keyOf(at), id, ticket)));
  await shards.first.run("unique/withdraw", keyOf(0), ids[0] ?? "", ticket, 0);
}

async function fillLimited(under: PoolUnderTest): Promise<void> {
  await launchMany(under, "LIMITED", (at) => ({ fairnessKey: `key-${at}` }));
  await launchMany(under, "LIMITED", (at) => ({ fairnessKey: `key-${at}` }));
  await under.pool.claim(worker, [{ name: "LIMITED", maxRunning: 0, maxOfKey: 2 }], many + 50);
}

async function fillBelongings(under: PoolUnderTest, lease: HeldLease): Promise<void> {
  const { pool, logs, checkpoints, layerLocks } = under;
  const line = `${"x".repeat(99)}\n`;
  for (let at = 0; at < many; at++) await logs.append(lease, at * line.length, line);
  await checkpoints.save(lease, "x".repeat(1_000));
  await layerLocks.lock(lease, { scanner: "clair", layer: "a" });
  for (let at = 0; at < many; at++) await pool.launchSubJob(lease, String(at), demoJob);
}

/** Reports of many images of an index, and what is left of some that are gone. */
async function fillReports(under: PoolUnderTest, lease: HeldLease): Promise<void> {
  const { reports, reportQueries, shards, clock } = under;
  const digestOf = (at: number) => `sha256:${String(at).padStart(64, "0")}`;
  const gzip = Buffer.alloc(1_000, 1);
  const findings = Array.from({ length: 60 }, (_, at) => findingOf(at));
  const put = (at: number, parts: Partial<IndexedReport>) => {
    const reportId = reportIdOf(lease.jobId, at);
    const entry = { repository: `team/app-${at}`, tags: [`1.${at}`], platform: "linux/amd64", findings, ...parts };
    return reports.put(
      lease,
      newReport(lease.jobId, digestOf(at), gzip, { reportId, scannedAt: clock.now(), ...entry }),
    );
  };
  const layerNames = Array.from({ length: 5 }, (_, at) => `layer-${at}`);
  for (let at = 0; at < many; at++)
    await under.redis.sadd(shards.first.keys.reports.locationsBeyond(digestOf(0)), `team/app-${at}`);
  for (let at = 0; at < many; at++) {
    await put(at, {
      indexDigest: at < 2 ? digestOf(many) : "",
      layerNames,
      repository: at < 2 ? "team/app" : `team/app-${at}`,
    });
  }
  for (let at = 2; at < many; at++)
    await reports.recordImages([{ repository: "team/app", digest: digestOf(at), tags: [`2.${at}`] }]);
  await put(0, { reportId: reportIdOf(lease.jobId, many), scannedAt: 0 });
  await put(many + 1, { findings: [] });
  await shards.first.run("reports/forget", digestOf(many + 1), 1, 0);
  const { outbox, gone } = shards.ofJob(lease.jobId).keys.reports;
  for (let at = 0; at < many; at++) {
    await under.redis.hset(outbox, reportIdOf(lease.jobId, at), Buffer.alloc(1_000, 1));
    await under.redis.hset(gone, reportIdOf(lease.jobId, at), digestOf(at));
  }
  await reportQueries.noteDay();
}

function findingOf(at: number): IndexedFinding {
  const parts = { version: `1.2.${at}-4+deb12u1`, fixedVersion: "1.2.3-4+deb12u2" };
  return { vulnerability: "CVE-2023-4911", severity: "HIGH", package: "libc6", ...parts };
}

/** A job that many workers are refused for, and one is not. */
async function fillRefusals({ pool }: PoolUnderTest): Promise<void> {
  const name = "REFUSED";
  await pool.launch({ ...demoJob, name });
  const refusal = { patienceMs: undefined, reason: "ACCESS_DENIED", message: "" };
  const other = workerNamed("other");
  await pool.hello(other, { ...workerInfo, jobNames: [name] }, []);
  for (let at = 0; at < many; at++) {
    const one = workerNamed(`refused-${at}`);
    await pool.hello(one, { ...workerInfo, jobNames: [name] }, []);
    const { jobs } = await pool.claim(one, [{ name, maxRunning: 0, maxOfKey: 0 }], 1);
    for (const job of jobs) await pool.refuse(leaseOf(job), refusal, {});
    await pool.leave(one);
  }
}

async function fillSchedules(under: PoolUnderTest): Promise<void> {
  const dueAt = under.clock.now();
  const ids = await launchMany(under, "DEMO", () => ({ kind: "PERIODIC", runAt: dueAt, schedule }));
  for (const [at, jobId] of ids.entries()) {
    if (at % 2 === 0) await under.schedules.pause(jobId);
    else
      await under.schedules.fire(
        { jobId, name: "DEMO", dueAt, schedule },
        { runAt: dueAt, nextAt: dueAt + 1_000, missed: 1 },
      );
  }
}

async function fillPolicies({ redis, shards, clock }: PoolUnderTest): Promise<void> {
  const policies = createRedisPolicyStore({ redis, shards, clock });
  const rules: PolicyRules = {
    ...{ failOn: "HIGH", fixableOnly: false, unknownAs: "IGNORE", graceDays: 7 },
    ...{ failOnKnownExploited: true, failOnEpss: 0, requireFullCoverage: false },
  };
  const why = { reason: "behind a firewall", createdBy: "security team", expiresAt: 0 };
  const scope = { package: "openssl", version: "", repository: "library/**", digest: "" };
  for (let at = 0; at < many; at++) {
    await policies.putPolicy({ name: `policy-${at}`, repository: "library/**", rules });
    await policies.putException({ ...scope, ...why, vulnerability: `CVE-2024-${1_000 + at}` });
  }
  const keys = Array.from({ length: 5 * many }, (_, at) => `finding-${at}`.padStart(12, "x"));
  await createRedisFirstFoundStore(redis, shards).note(keys, clock.now());
}

async function fillHooks(under: PoolUnderTest): Promise<void> {
  const { pool, hooks, clock } = under;
  await launchMany(under, "DEMO", () => ({ statusHook: "http://127.0.0.1/" }));
  const tried: string[] = [];
  while (tried.length < many) {
    for (const hook of (await hooks.due(many)).due) {
      const at = tried.push(hook.jobId) - 1;
      const settlement = at % 2 === 0 ? { kind: "retry" as const, at: clock.now() + 1 } : { kind: "failed" as const };
      await hooks.settle(hook, settlement, "HTTP 500");
      if (at % 4 === 1) await hooks.redeliver(hook.jobId);
    }
  }
  clock.advance(1);
  await hooks.due(many);
  await launchMany(under, "DEMO", (at) => ({ statusHook: `http://127.0.0.1:${1_000 + at}/` }));
  await pool.end(tried[3] ?? "", "cancel");
  await pool.sweep("CANCELLED", clock.now() + 1, 0);
}
