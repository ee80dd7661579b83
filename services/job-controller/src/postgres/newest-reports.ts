import type { ReportEntry } from "../domain/report-entry.ts";
import type { KnownReport } from "../ports/report-store.ts";
import type { Query } from "./database.ts";
import { keyOf } from "./texts.ts";

/** The newest report of each image, and of the images of each index; in the order of the digests. */
export async function newestOfImages(query: Query, digests: readonly string[]): Promise<KnownReport[][]> {
  const found = digests.map((): KnownReport[] => []);
  const rows = await query<{ position: number; entry: ReportEntry }>(
    `SELECT position, entry FROM unnest($1::bytea[]) WITH ORDINALITY AS asked (key, position)
     JOIN texts ON texts.key = asked.key, ${newestOf("texts.id")} ORDER BY position, ${inOrder}`,
    [digests.map(keyOf)],
  );
  for (const { position, entry } of rows) found[position - 1]?.push(toKnown(entry));
  return found;
}

/** The platforms that a scan of each index has looked for; none while one of its images has no report. */
export async function indexPlatformsOf(query: Query, indexDigests: readonly string[]): Promise<string[][]> {
  const rows = await query<{ position: number; platforms: string[] }>(
    `SELECT position, platforms FROM unnest($1::bytea[]) WITH ORDINALITY AS asked (key, position)
     JOIN texts ON texts.key = asked.key JOIN index_platforms ON index_id = texts.id
     WHERE NOT EXISTS (SELECT 1 FROM index_images AS own WHERE own.index_id = texts.id
       AND NOT EXISTS (SELECT 1 FROM images WHERE images.id = own.image_id))`,
    [indexDigests.map(keyOf)],
  );
  const found = indexDigests.map((): string[] => []);
  for (const { position, platforms } of rows) found[position - 1] = platforms;
  return found;
}

/** The same of what the tag points at. */
export async function newestOfTag(query: Query, repository: string, tag: string): Promise<KnownReport[]> {
  const rows = await query<{ entry: ReportEntry }>(
    `SELECT entry FROM tags, ${newestOf("tags.digest_id")}
     WHERE repository_id = (SELECT id FROM texts WHERE key = $1) AND tag_id = (SELECT id FROM texts WHERE key = $2)
     ORDER BY ${inOrder}`,
    [keyOf(repository), keyOf(tag)],
  );
  return rows.map(({ entry }) => toKnown(entry));
}

/** The digest that the tag points at; undefined when the tag is not known. */
export async function digestOf(query: Query, repository: string, tag: string): Promise<string | undefined> {
  const [row] = await query<{ text: string }>(
    `SELECT text FROM tags JOIN texts ON texts.id = digest_id
     WHERE repository_id = (SELECT id FROM texts WHERE key = $1) AND tag_id = (SELECT id FROM texts WHERE key = $2)`,
    [keyOf(repository), keyOf(tag)],
  );
  return row?.text;
}

/** The newest reports of an image, or of the images of an index. */
function newestOf(digestId: string): string {
  return `LATERAL (
    SELECT entry, digest FROM images JOIN reports ON reports.id = report_id
    WHERE images.id IN (SELECT ${digestId} UNION SELECT index_images.image_id FROM index_images WHERE index_id = ${digestId})
  ) AS newest`;
}

const inOrder = `(entry->>'platform') COLLATE "C", digest`;

function toKnown(entry: ReportEntry): KnownReport {
  const { reportId, digest, platform, scanner, scannerState, scannedAt, coverage } = entry;
  return { reportId, digest, platform, scanner, scannerState, scannedAt, coverage };
}
