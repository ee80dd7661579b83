import type { Clock } from "@drydock/shared/clock.ts";
import { z } from "zod";
import type { ReportReference } from "../domain/report-entry.ts";
import type { Page, PageRequest, ReportQueries } from "../ports/report-queries.ts";
import type { FoundImage } from "../ports/report-store.ts";
import type { Database, Query } from "./database.ts";
import { locationsOf } from "./locations.ts";
import { readPosition, writePosition } from "./position.ts";
import { listReports } from "./report-list.ts";
import { history, noteDay, summarize } from "./summary.ts";
import { keyOf, toText } from "./texts.ts";
import { findVulnerability } from "./vulnerability.ts";

const mostStanding = 10_000;

/** The questions about reports, as statements of SQL. */
export function createPostgresReportQueries({ query }: Database, clock: Clock): ReportQueries {
  return {
    list: (filter, order, page) => listReports(query, filter, order, page),
    findVulnerability: (name, repository, page) => findVulnerability(query, name, repository, page),
    summarize: (repository) => summarize(query, repository),
    history: (days, totals) => history(query, { now: clock.now(), days, totals }),
    noteDay: () => noteDay(query, clock.now()),
    findByLayers: (layerNames, page) => findByLayers(query, layerNames, page),
    standing: (repository, at) => standing(query, repository, at),
  };
}

async function findByLayers(
  query: Query,
  layerNames: readonly string[],
  { size, token }: PageRequest,
): Promise<Page<FoundImage>> {
  const behind = readPosition(z.tuple([z.string()]), token)?.[0] ?? "";
  const rows = await query<{ id: number; digest: string }>(
    `SELECT id, digest FROM images WHERE digest > $2 AND id IN (
       SELECT image_id FROM image_layers JOIN texts ON texts.id = layer_id WHERE texts.key = ANY ($1))
     ORDER BY digest LIMIT $3`,
    [layerNames.map(keyOf), toText(behind), size + 1],
  );
  const shown = rows.slice(0, size);
  const locations = await locationsOf(
    query,
    shown.map(({ id }) => id),
  );
  const last = rows.length > size ? shown.at(-1) : undefined;
  return {
    items: shown.map(({ id, digest }) => ({ repository: "", tags: [], ...locations(id).locations[0], digest })),
    nextToken: last === undefined ? "" : writePosition([last.digest]),
  };
}

function standing(query: Query, repository: string, at: number): Promise<ReportReference[]> {
  return query<ReportReference & { reportId: string }>(
    `SELECT stood.id AS "reportId", texts.text AS digest, entry->>'platform' AS platform
     FROM locations JOIN texts ON texts.id = digest_id, LATERAL (
       SELECT id, entry FROM reports WHERE image_id = digest_id AND scanned_at < $2
       ORDER BY scanned_at DESC, seq DESC LIMIT 1) AS stood
     WHERE repository_id = (SELECT id FROM texts WHERE key = $1) ORDER BY texts.text LIMIT ${mostStanding}`,
    [keyOf(repository), at],
  );
}
