import type { Clock } from "@drydock/shared/clock.ts";
import type { ReportReference } from "../../domain/report-entry.ts";
import type { DayTotals, ReportQueries, ReportTotals } from "../../ports/report-queries.ts";
import { answered } from "../shards/reply-errors.ts";
import { findByLayers, findVulnerability } from "./find-images.ts";
import { type KeptReport, readImages } from "./image-state.ts";
import { listReports, type QueryDeps } from "./list-reports.ts";
import { readFacts, readNumbers, readTotalSums } from "./repositories.ts";
import { summarize } from "./summaries.ts";
import { addSums, noSums, toTotals } from "./totals.ts";

const dayMs = 86_400_000;
/** How many days are kept. */
const mostDays = 400;
/** How many images standing() gives. */
const mostStanding = 10_000;

/** What the queries need. */
export interface RedisReportQueriesOptions extends QueryDeps {
  clock: Clock;
  /** How long a report is kept, in milliseconds. */
  keepMs: number;
}

/** Questions about all reports, answered from the indexes of all shards. */
export function createRedisReportQueries(options: RedisReportQueriesOptions): ReportQueries {
  const { redis, shards, clock } = options;
  const { days } = shards.first.keys.reports;
  return {
    list: (filter, order, page) => listReports(options, filter, order, page),
    findVulnerability: (name, repository, page) => findVulnerability(options, name, repository, page),
    findByLayers: (layerNames, page) => findByLayers(options, layerNames, page),
    summarize: (repository) => summarize(options, repository),
    standing: (repository, at) => standing(options, repository, at),

    async history(count: number, totals?: ReportTotals): Promise<DayTotals[]> {
      const [first, today] = [dayOf(clock.now() - (count - 1) * dayMs), dayOf(clock.now())];
      const [noted, present] = await Promise.all([
        answered(redis.hgetall(days)),
        totals ?? sumsOfNow(options).then(toTotals),
      ]);
      const asked = Object.entries(noted).filter(([day]) => day >= first && day < today);
      const past = asked.sort(([a], [b]) => (a < b ? -1 : 1));
      return [
        ...past.map(([day, sums]) => ({ day, totals: toTotals(JSON.parse(sums) as number[]) })),
        { day: today, totals: present },
      ];
    },

    async noteDay(): Promise<void> {
      await answered(redis.hset(days, dayOf(clock.now()), JSON.stringify(await sumsOfNow(options))));
      const old = (await answered(redis.hkeys(days))).sort().slice(0, -mostDays);
      if (old.length > 0) await answered(redis.hdel(days, ...old));
    },
  };
}

async function sumsOfNow({ redis, shards }: QueryDeps): Promise<number[]> {
  const sums = noSums();
  for (const own of await shards.all((shard) => readTotalSums(redis, shard))) addSums(sums, own);
  return sums;
}

/** In UTC, e.g. 2026-11-30. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

async function standing(
  { redis, shards, clock, keepMs }: RedisReportQueriesOptions,
  repository: string,
  at: number,
): Promise<ReportReference[]> {
  const expired = clock.now() - keepMs;
  const stands = ({ scanned, stored }: KeptReport) => scanned < at && stored >= expired;
  const parts = await shards.all(async (shard) => {
    const found: ReportReference[] = [];
    for await (const numbers of readNumbers(redis, shard, repository)) {
      const digests = (await readFacts(redis, shard, numbers)).map(({ digest }) => digest);
      const images = await readImages(redis, shard, digests);
      found.push(...images.flatMap(({ reports }, number) => referTo(reports?.find(stands), digests[number])));
      if (found.length >= mostStanding) break;
    }
    return found;
  });
  const found = parts.flat().sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return found.slice(0, mostStanding);
}

function referTo(report: KeptReport | undefined, digest = ""): ReportReference[] {
  return report === undefined ? [] : [{ reportId: report.id, digest, platform: report.platform }];
}
