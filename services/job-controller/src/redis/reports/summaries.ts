import type { ReportSummary } from "../../ports/report-queries.ts";
import type { Shard } from "../shards/shard.ts";
import { readImages } from "./image-state.ts";
import { listReports, type QueryDeps } from "./list-reports.ts";
import { readAllNumbers, readFacts, readSums, readTotalSums } from "./repositories.ts";
import { addSums, compareSums, noSums, toTotals } from "./totals.ts";

const mostRepositories = 100;
const worstImages = 10;
/** How many pages the worst images are looked for in. */
const mostPages = 5;

/** What the newest reports of the repositories that fit come to. */
export async function summarize(deps: QueryDeps, repository: string): Promise<ReportSummary> {
  const parts = await deps.shards.all(async (shard) => [shard, await readSums(deps.redis, shard, repository)] as const);
  const byName = new Map<string, number[]>();
  for (const [name, sums] of parts.flatMap(([, own]) => [...own])) {
    const known = byName.get(name) ?? noSums();
    addSums(known, sums);
    byName.set(name, known);
  }
  const totals = noSums();
  for (const [shard, own] of parts) addSums(totals, await totalOf(deps, shard, repository, own));
  const ordered = [...byName].sort(([a, aSums], [b, bSums]) => compareSums(aSums, bSums) || (a < b ? -1 : 1));
  return {
    totals: toTotals(totals),
    repositories: ordered
      .slice(0, mostRepositories)
      .map(([name, sums]) => ({ repository: name, totals: toTotals(sums) })),
    repositoryCount: byName.size,
    worst: byName.size === 0 ? [] : await worstOf(deps, repository),
  };
}

/** The sums of the repositories together: an image of several of them counts once. */
async function totalOf(
  { redis }: QueryDeps,
  shard: Shard,
  repository: string,
  byName: ReadonlyMap<string, number[]>,
): Promise<number[]> {
  if (repository === "") return readTotalSums(redis, shard);
  const totals = noSums();
  for (const sums of byName.values()) addSums(totals, sums);
  if (byName.size < 2) return totals;
  const times = new Map<number, number>();
  for (const number of await readAllNumbers(redis, shard, byName.keys()))
    times.set(number, (times.get(number) ?? 0) + 1);
  const several = [...times].filter(([, count]) => count > 1).map(([number]) => number);
  const facts = await readFacts(redis, shard, several);
  const digests = facts.map(({ digest }) => digest);
  for (const [at, { sums = [] }] of (await readImages(redis, shard, digests)).entries()) {
    addSums(totals, sums, 1 - (times.get(facts[at]?.number ?? -1) ?? 1));
  }
  return totals;
}

async function worstOf(deps: QueryDeps, repository: string): Promise<ReportSummary["worst"]> {
  const worst: ReportSummary["worst"] = [];
  let token = "";
  for (let pages = 0; pages < mostPages && worst.length < worstImages; pages++) {
    const page = await listReports(deps, { repository }, "WORST", { size: worstImages - worst.length, token });
    worst.push(...page.items);
    token = page.nextToken;
    if (token === "") break;
  }
  return worst;
}
