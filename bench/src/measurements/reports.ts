import { randomBytes } from "node:crypto";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import type { ReportQueries } from "@drydock/job-controller/ports/report-queries.ts";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { RedisJobPool } from "@drydock/job-controller/redis/life/job-pool.ts";
import { createRedisReportQueries } from "@drydock/job-controller/redis/reports/report-queries.ts";
import { createRedisReportStore } from "@drydock/job-controller/redis/reports/report-store.ts";
import { defineScript, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Shards } from "@drydock/job-controller/redis/shards/shards.ts";
import { systemClock } from "@drydock/shared/clock.ts";
import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import type { Row } from "../row.ts";
import { madeReport, vulnerabilityName } from "../stack/made-reports.ts";
import { type BenchRedis, startBenchRedis } from "../stack/redis.ts";
import { percentile } from "../statistics.ts";

/** How many reports are on their way at once while the store is filled, and how many are timed one by one. */
const inFlight = 16;
const timed = 300;
/** How often each question is asked. */
const asked = 100;
const keepMs = 30 * 24 * 3_600_000;
/** A report of 60 findings, packed, has about so many bytes. */
const gzipBytes = 4_096;
const pageSize = 50;

const targetMs = 50;

/** What reports cost in Redis, and how long questions about all of them take; without gRPC, in this process. */
export const reports: Measurement = { name: "reports", run };

async function run(bench: Bench): Promise<Row[]> {
  await using redis = await startBenchRedis();
  await using stack = await openStore(redis);
  const { store, queries, lease } = stack;
  const before = await redis.probe.usedMemory();
  const put = (number: number) => {
    const entry = madeReport(lease.jobId, number, Date.now());
    return store.put(lease, { entry, gzip: randomBytes(gzipBytes) });
  };
  const rows: Row[] = [];
  let stored = 0;
  for (const count of bench.sizes.reports) {
    bench.say(`until ${format(count)} reports are stored`);
    await redis.probe.watchScripts();
    const begin = performance.now();
    const filled = count - stored - timed;
    for (const goal = count - timed; stored < goal; stored += inFlight) {
      bench.signal.throwIfAborted();
      const some = Math.min(inFlight, goal - stored);
      await Promise.all(Array.from({ length: some }, (_, at) => put(stored + at)));
    }
    stored = count - timed;
    const rate = (1_000 * filled) / (performance.now() - begin);
    const times = await timeEach(timed, () => put(stored++));
    const with_ = `with ${format(count)} reports`;
    rows.push({ what: `reports stored in a second ${with_}, ${inFlight} in flight`, samples: [rate] });
    rows.push(...toRows(`storing a report ${with_}`, times));
    rows.push({
      what: `slowest script ${with_}, ms`,
      samples: [await redis.probe.slowestScript()],
      target: { kind: "at-most", value: 5 },
    });
    bench.say(`questions about ${format(count)} reports`);
    for (const [what, ask] of questions(queries)) rows.push(...toRows(`${what} ${with_}`, await timeEach(asked, ask)));
    const bytes = ((await redis.probe.usedMemory()) - before) / count - gzipBytes;
    rows.push({ what: `Redis memory beside the gzip for each of ${format(count)} reports, bytes`, samples: [bytes] });
  }
  return rows;
}

/** What is asked, and how. */
function questions(queries: ReportQueries): Array<[string, (at: number) => Promise<unknown>]> {
  const page = { size: pageSize, token: "" };
  const all = { repository: "" };
  return [
    ["FindVulnerability", (at) => queries.findVulnerability(vulnerabilityName((at * 37) % 5_000), "", page)],
    [
      "FindVulnerability in a repository glob",
      (at) => queries.findVulnerability(vulnerabilityName(at), `team-${at % 40}/**`, page),
    ],
    ["ListReports, the worst", () => queries.list(all, "WORST", page)],
    ["ListReports, the newest", () => queries.list(all, "NEWEST", page)],
    ["ListReports, by repository", () => queries.list(all, "REPOSITORY", page)],
    [
      "ListReports, critical and fixable",
      () => queries.list({ ...all, leastSeverity: "CRITICAL", fixable: true }, "WORST", page),
    ],
    ["ListReports, what nothing fits", () => queries.list({ ...all, coverage: "NOT_AN_IMAGE" }, "WORST", page)],
    ["ListReports, one repository", (at) => queries.list({ repository: `team-${at % 40}/app-${at}` }, "WORST", page)],
    ["ListReports, a glob of a fortieth", (at) => queries.list({ repository: `team-${at % 40}/*` }, "WORST", page)],
    ["ListReports, a glob of a quarter", (at) => queries.list({ repository: `team-${at % 4}*/*` }, "WORST", page)],
    [
      "ListReports, a vulnerability",
      (at) => queries.list({ ...all, vulnerability: vulnerabilityName(at) }, "NEWEST", page),
    ],
    ["GetSummary of all", () => queries.summarize("")],
  ];
}

async function timeEach(count: number, run: (at: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const begin = performance.now();
    await run(at);
    times.push(performance.now() - begin);
  }
  return times;
}

function toRows(what: string, times: readonly number[]): Row[] {
  const target = { kind: "at-most", value: targetMs } as const;
  return [
    { what: `${what}, p50, ms`, samples: [percentile(times, 0.5)] },
    { what: `${what}, p99, ms`, samples: [percentile(times, 0.99)], target },
  ];
}

/** A store with a job that runs, which may store any number of reports. */
export async function openStore({ url }: BenchRedis) {
  const redis = defineScript(createConnection(url));
  redis.on("error", () => {});
  await redis.connect();
  const shards = new Shards(1, (number) => new Shard(number, redis, systemClock));
  const clock = systemClock;
  const pool = new RedisJobPool({ redis, shards, clock, terms: defaultLeaseTerms });
  return {
    store: createRedisReportStore({ redis, shards, clock, keepMs, reportsPerImage: 5 }),
    queries: createRedisReportQueries({ redis, shards, clock, keepMs }),
    lease: await startJob(pool),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

async function startJob(pool: RedisJobPool): Promise<HeldLease> {
  const worker = { workerId: "bench", incarnation: "first", session: "s1" };
  const info = { version: "1.0.0", jobNames: ["BENCH"], slots: 1, draining: false, startedAt: 0, closed: [] };
  const { id } = await pool.launch({ name: "BENCH", parametersJson: "{}", traceparent: "" });
  await pool.hello(worker, info, []);
  const { jobs } = await pool.claim(worker, [{ name: "BENCH", maxRunning: 0, maxOfKey: 0 }], 1);
  return { jobId: id, token: jobs[0]?.token ?? 0, incarnation: "first" };
}

function format(count: number): string {
  return count.toLocaleString("en-US");
}
