import { type ReportEntry, severities } from "../domain/report-entry.ts";
import type { Query } from "./database.ts";
import { digestKey, epssNumber, worstKey, worstOf } from "./image-order.ts";

/** Locks an image until the end of the transaction, so that its newest report and its indexes agree. */
export async function lockImage(query: Query, imageId: number): Promise<void> {
  await query("SELECT pg_advisory_xact_lock($1, $2)", [imageLocks, imageId]);
}

/** The first number of the locks of images: any that nobody else takes. */
const imageLocks = 1_211_567;

interface NewestReport {
  id: string;
  seq: number;
  entry: ReportEntry;
  detail_ids: number[];
  layer_ids: number[];
  /** The seq of the report that the indexes have. */
  indexed: number | null;
}

/** Makes the indexes say what the newest report of the image says; without one the image is in none. It must be locked. */
export async function refreshImage(query: Query, imageId: number): Promise<void> {
  const [newest] = await query<NewestReport>(
    `SELECT id, seq, entry, detail_ids, layer_ids, (SELECT seq FROM images WHERE id = $1) AS indexed
     FROM reports WHERE image_id = $1 ORDER BY scanned_at DESC, seq DESC LIMIT 1`,
    [imageId],
  );
  if (newest === undefined) return forgetImage(query, imageId);
  if (newest.indexed === newest.seq) return;
  await indexEntry(query, imageId, newest);
  const key = digestKey(newest.entry.digest);
  await query(replaceFindings, [imageId, key, newest.detail_ids]);
  await query(replaceLayers, [imageId, key, newest.layer_ids]);
}

/** Takes an image that has no report out of all indexes, and out of its locations unless a tag leads to it. */
async function forgetImage(query: Query, imageId: number): Promise<void> {
  await query("DELETE FROM images WHERE id = $1", [imageId]);
  await query("DELETE FROM findings WHERE image_id = $1", [imageId]);
  await query("DELETE FROM image_layers WHERE image_id = $1", [imageId]);
  await query(
    `DELETE FROM locations WHERE digest_id = $1 AND NOT EXISTS (
       SELECT FROM tags WHERE digest_id = $1
          OR digest_id IN (SELECT index_id FROM index_images WHERE image_id = $1))`,
    [imageId],
  );
}

const severityColumns = severities.map((severity) => severity.toLowerCase());
const columns = [
  ...["id", "digest", "digest_key", "report_id", "seq", "scanned_at", "worst_key", "worst", "coverage", "scanner"],
  ...["findings", "fixable", "known_exploited", "epss", ...severityColumns, "first_repository"],
];
const upsert = `INSERT INTO images (${columns.join(", ")})
  VALUES (${columns.map((_, index) => `$${index + 1}`).join(", ")})
  ON CONFLICT (id) DO UPDATE SET ${columns
    .filter((column) => column !== "id" && column !== "first_repository")
    .map((column) => `${column} = excluded.${column}`)
    .join(", ")}`;

async function indexEntry(query: Query, imageId: number, { id, seq, entry }: NewestReport): Promise<void> {
  const { digest, scannedAt, coverage, scanner, counts, knownExploited, maxEpss, repository } = entry;
  const numbers = [counts.total, counts.fixable, knownExploited, epssNumber(maxEpss)];
  const bySeverity = severities.map((severity) => counts.bySeverity[severity] ?? 0);
  await query(upsert, [
    ...[imageId, digest, digestKey(digest), id, seq, scannedAt, worstKey(entry), worstOf(counts), coverage, scanner],
    ...[...numbers, ...bySeverity].map((number) => Math.min(number, mostInt)),
    repository.slice(0, mostOfName),
  ]);
}

const mostInt = 2 ** 31 - 1;

/** How much of a name orders images: what fits into an entry of an index, in characters. */
export const mostOfName = 500;

/** Most findings are those of the report before: what stays is not touched. */
const replaceFindings = `
  WITH wanted AS (
    SELECT vulnerability_id, array_agg(id ORDER BY id) AS detail_ids FROM details WHERE id = ANY ($3::int[])
    GROUP BY vulnerability_id
  ), gone AS (
    DELETE FROM findings WHERE image_id = $1 AND vulnerability_id NOT IN (SELECT vulnerability_id FROM wanted)
  )
  INSERT INTO findings (vulnerability_id, digest_key, image_id, detail_ids)
  SELECT vulnerability_id, $2::bigint, $1, detail_ids FROM wanted
  ON CONFLICT (vulnerability_id, digest_key, image_id) DO UPDATE SET detail_ids = excluded.detail_ids
  WHERE findings.detail_ids <> excluded.detail_ids`;

const replaceLayers = `
  WITH gone AS (DELETE FROM image_layers WHERE image_id = $1 AND layer_id <> ALL ($3::int[]))
  INSERT INTO image_layers (layer_id, digest_key, image_id)
  SELECT layer_id, $2::bigint, $1 FROM unnest($3::int[]) AS layer_id ON CONFLICT DO NOTHING`;
