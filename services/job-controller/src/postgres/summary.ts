import { type Coverage, severities } from "../domain/report-entry.ts";
import type { DayTotals, ReportSummary, ReportTotals } from "../ports/report-queries.ts";
import { Conditions, repositoriesLike } from "./conditions.ts";
import type { Query } from "./database.ts";
import { listReports } from "./report-list.ts";

const mostRepositories = 100;
const mostWorst = 10;

const coverages: readonly Coverage[] = ["FULL", "PARTIAL", "UNSUPPORTED", "NOT_AN_IMAGE"];

/** The sums of images, by the names that their columns have. */
type Sums = Record<string, number>;

/** The columns of what images come to together. */
const sums = [
  "count(*) AS images",
  "coalesce(sum(findings), 0) AS findings",
  "coalesce(sum(fixable), 0) AS fixable",
  "count(*) FILTER (WHERE known_exploited > 0) AS exploited",
  ...severities.map((severity) => `coalesce(sum(${severity}), 0) AS "of_${severity}"`),
  ...[-1, ...severities.keys()].map((worst) => `count(*) FILTER (WHERE worst = ${worst}) AS "worst_${worst}"`),
  ...coverages.map((coverage) => `count(*) FILTER (WHERE coverage = '${coverage}') AS "covered_${coverage}"`),
].join(", ");

/** What the newest reports of the repositories that fit come to. */
export async function summarize(query: Query, repository: string): Promise<ReportSummary> {
  const repositoryIds = await repositoriesLike(query, repository);
  const [totals, repositories, worst] = await Promise.all([
    sumUp(query, repositoryIds),
    sumUpByRepository(query, repositoryIds),
    listReports(query, { repository }, "WORST", { size: mostWorst, token: "" }),
  ]);
  return { totals, ...repositories, worst: worst.items };
}

async function sumUp(query: Query, repositoryIds?: readonly number[]): Promise<ReportTotals> {
  const conditions = new Conditions();
  if (repositoryIds !== undefined) {
    const ids = conditions.parameter(repositoryIds);
    conditions.add(`images.id IN (SELECT digest_id FROM locations WHERE repository_id = ANY (${ids}))`);
  }
  const [row] = await query<Sums>(`SELECT ${sums} FROM images WHERE ${conditions}`, conditions.values);
  return toTotals(row ?? {});
}

async function sumUpByRepository(query: Query, repositoryIds?: readonly number[]) {
  const conditions = new Conditions();
  if (repositoryIds !== undefined) conditions.add(`repository_id = ANY (${conditions.parameter(repositoryIds)})`);
  const rows = await query<Sums & { repository: string }>(
    `SELECT text AS repository, of_repository.* FROM (
       SELECT repository_id, ${sums}, count(*) OVER () AS repositories
       FROM locations JOIN images ON images.id = digest_id WHERE ${conditions} GROUP BY repository_id
     ) AS of_repository JOIN texts ON texts.id = repository_id
     ORDER BY exploited DESC, "of_CRITICAL" DESC, "of_HIGH" DESC, "of_MEDIUM" DESC, "of_LOW" DESC, text
     LIMIT ${mostRepositories}`,
    conditions.values,
  );
  return {
    repositories: rows.map((row) => ({ repository: row.repository, totals: toTotals(row) })),
    repositoryCount: rows[0]?.repositories ?? 0,
  };
}

function toTotals(row: Sums): ReportTotals {
  const of = (name: string) => row[name] ?? 0;
  return {
    ...{ images: of("images"), findings: of("findings"), fixable: of("fixable") },
    bySeverity: withoutZeros(severities.map((severity) => [severity, of(`of_${severity}`)])),
    imagesBySeverity: withoutZeros([
      ["NONE", of("worst_-1")],
      ...severities.map((severity, worst) => [severity, of(`worst_${worst}`)] as const),
    ]),
    byCoverage: withoutZeros(coverages.map((coverage) => [coverage, of(`covered_${coverage}`)])),
    imagesWithKnownExploited: of("exploited"),
  };
}

function withoutZeros<Name extends string>(
  counts: readonly (readonly [Name, number])[],
): Partial<Record<Name, number>> {
  const found = counts.filter(([, count]) => count > 0);
  return Object.fromEntries(found) as Partial<Record<Name, number>>;
}

const dayMs = 86_400_000;
/** How many days are kept. */
const mostDays = 400;

/** The day in UTC, e.g. 2026-11-30. */
function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Notes what all reports come to on the day of the time. */
export async function noteDay(query: Query, now: number): Promise<void> {
  const totals = await sumUp(query);
  await query(
    "INSERT INTO days (day, totals) VALUES ($1, $2) ON CONFLICT (day) DO UPDATE SET totals = excluded.totals",
    [dayOf(now), JSON.stringify(totals)],
  );
  await query("DELETE FROM days WHERE day <= $1", [dayOf(now - mostDays * dayMs)]);
}

interface History {
  /** In milliseconds since 1970. */
  now: number;
  days: number;
  /** What all reports come to now, if it is known. */
  totals: ReportTotals | undefined;
}

/** The last days until the time, as they were noted, and the one of the time as it stands. */
export async function history(query: Query, { now, days, totals }: History): Promise<DayTotals[]> {
  const [from, today] = [dayOf(now - days * dayMs), dayOf(now)];
  const [past, present] = await Promise.all([
    query<DayTotals>("SELECT day, totals FROM days WHERE day > $1 AND day < $2 ORDER BY day", [from, today]),
    totals ?? sumUp(query),
  ]);
  return [...past, { day: today, totals: present }];
}
