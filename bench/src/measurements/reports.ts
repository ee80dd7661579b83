import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import type { ReportQueries } from "@drydock/job-controller/ports/report-queries.ts";
import type { ReportStore } from "@drydock/job-controller/ports/report-store.ts";
import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import type { Row } from "../row.ts";
import { madeReport, packedReport, vulnerabilityName } from "../stack/made-reports.ts";
import { startBenchRedis } from "../stack/redis.ts";
import { openPostgresStore, openStore } from "../stack/report-homes.ts";
import { percentile } from "../statistics.ts";
import { type ControllerHome, timeCheckImage } from "./check-image.ts";

/** How many reports are on their way at once while the store is filled, and how many are timed one by one. */
const inFlight = 16;
const timed = 300;
/** How often each question is asked. */
const asked = 100;
const checked = 500;
const pageSize = 50;

const targetMs = 50;
const checkImageTargetMs = 20;

/** What reports cost in Redis, and how long questions about all of them take, without gRPC, in this process; CheckImage as a whole. */
export const reports: Measurement = { name: "reports", run };

/** The same in PostgreSQL, which needs Debian's `postgresql`. */
export const reportsInPostgres: Measurement = { name: "reports-postgres", run: runInPostgres };

/** Where reports are kept, with jobs that may store any number of them. */
interface Home {
  /** Stands before what is measured. */
  name: string;
  store: ReportStore;
  queries: ReportQueries;
  /** A job that may store reports until a controller runs. */
  startJob(): Promise<HeldLease>;
  /** Where a controller finds the same reports. */
  controller: ControllerHome;
  /** How many bytes all takes. */
  usedBytes(): Promise<number>;
  /** Begins to watch how long scripts take. */
  watchScripts?: () => Promise<void>;
  slowestScript?: () => Promise<number>;
}

async function run(bench: Bench): Promise<Row[]> {
  await using redis = await startBenchRedis();
  await using stack = await openStore(redis);
  const { probe } = redis;
  return await measure(bench, {
    ...stack,
    name: "Redis",
    controller: { redisUrl: redis.url },
    usedBytes: () => probe.usedMemory(),
    watchScripts: () => probe.watchScripts(),
    slowestScript: () => probe.slowestScript(),
  });
}

async function runInPostgres(bench: Bench): Promise<Row[]> {
  await using redis = await startBenchRedis();
  await using stack = await openPostgresStore();
  const controller = { redisUrl: redis.url, env: { DRYDOCK_REPORT_STORE: stack.url } };
  return await measure(bench, { ...stack, name: "PostgreSQL", controller });
}

async function measure(bench: Bench, home: Home): Promise<Row[]> {
  const before = await home.usedBytes();
  const gzip = packedReport(madeReport("", 0, 0));
  const rows: Row[] = [];
  let stored = 0;
  for (const count of bench.sizes.reports) {
    bench.say(`until ${format(count)} reports are stored in ${home.name}`);
    const lease = await home.startJob();
    const put = (number: number) => home.store.put(lease, { entry: madeReport(lease.jobId, number, Date.now()), gzip });
    await home.watchScripts?.();
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
    const with_ = `with ${format(count)} reports in ${home.name}`;
    rows.push({ what: `reports stored in a second ${with_}, ${inFlight} in flight`, samples: [rate] });
    rows.push(...toRows(`storing a report ${with_}`, times));
    rows.push(...(await scriptRows(home, with_)));
    bench.say(`questions about ${format(count)} reports`);
    for (const [what, ask] of questions(home)) rows.push(...toRows(`${what} ${with_}`, await timeEach(asked, ask)));
    bench.say(`CheckImage with ${format(count)} reports`);
    const checks = await timeCheckImage(bench, home.controller, checked);
    rows.push(...toRows(`CheckImage over gRPC ${with_}`, checks, checkImageTargetMs));
    const bytes = ((await home.usedBytes()) - before) / count - gzip.length;
    rows.push({ what: `${home.name} bytes beside the gzip for each of ${format(count)} reports`, samples: [bytes] });
  }
  return rows;
}

async function scriptRows({ slowestScript }: Home, with_: string): Promise<Row[]> {
  if (slowestScript === undefined) return [];
  const samples = [await slowestScript()];
  return [{ what: `slowest script ${with_}, ms`, samples, target: { kind: "at-most", value: 5 } }];
}

/** What is asked, and how. */
function questions({ store, queries }: Home): Array<[string, (at: number) => Promise<unknown>]> {
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
    ["ListReports, the oldest", () => queries.list(all, "OLDEST", page)],
    ["ListReports, the most likely exploited", () => queries.list(all, "EPSS", page)],
    ["ListReports, known exploited", () => queries.list({ ...all, knownExploited: true }, "EPSS", page)],
    ["ListReports, a scanner that nothing has", () => queries.list({ ...all, scanner: "none" }, "WORST", page)],
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
    [
      "the newest report of a tag",
      async (at) => {
        const [known] = await store.newestOfTag(`team-${at % 40}/app-${at}`, "1.0");
        await Array.fromAsync((await store.read(known?.reportId ?? "")) ?? []);
      },
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

function toRows(what: string, times: readonly number[], value = targetMs): Row[] {
  const target = { kind: "at-most", value } as const;
  return [
    { what: `${what}, p50, ms`, samples: [percentile(times, 0.5)] },
    { what: `${what}, p99, ms`, samples: [percentile(times, 0.99)], target },
  ];
}

function format(count: number): string {
  return count.toLocaleString("en-US");
}
