import type { ReportEntry } from "@drydock/job-controller/domain/report-entry.ts";
import { digestKey, epssNumber, worstKey, worstOf } from "@drydock/job-controller/postgres/image-order.ts";
import type { Client } from "pg";

/** The newest report of each image, by which its rows in the other tables go. */
const newest = "newest AS (SELECT DISTINCT ON (image_id) * FROM reports ORDER BY image_id, scanned_at DESC, seq DESC)";

/** What is wrong, as statements whose rows tell of it. */
const faults: Readonly<Record<string, string>> = {
  "an image is of no newest report, or a newest report of no image": `WITH ${newest}
    SELECT coalesce(images.digest, newest.id) AS fault FROM newest FULL JOIN images
      ON images.id = image_id AND images.seq = newest.seq AND images.report_id = newest.id
    WHERE images.id IS NULL OR newest.id IS NULL`,
  "a finding is of no newest report, or a newest report's is not there": `WITH ${newest}, wanted AS (
      SELECT vulnerability_id, image_id, array_agg(details.id ORDER BY details.id) AS detail_ids
      FROM newest, unnest(newest.detail_ids) AS detail_id LEFT JOIN details ON details.id = detail_id GROUP BY 1, 2)
    SELECT coalesce(wanted.image_id, findings.image_id) || ' ' || coalesce(vulnerability_id, -1) AS fault
    FROM wanted FULL JOIN findings USING (vulnerability_id, image_id, detail_ids)
    WHERE wanted.image_id IS NULL OR digest_key IS NULL`,
  "a layer is of no newest report, or a newest report's is not there": `WITH ${newest}
    SELECT concat_ws(' ', image_id, layer_id) AS fault
    FROM (SELECT image_id, unnest(layer_ids) AS layer_id, true AS wanted FROM newest) AS layer
    FULL JOIN image_layers USING (image_id, layer_id) WHERE wanted IS NULL OR digest_key IS NULL`,
  "a row has another key than its image": `
    SELECT images.digest AS fault FROM images
    WHERE EXISTS (SELECT FROM findings WHERE image_id = images.id AND digest_key <> images.digest_key)
      OR EXISTS (SELECT FROM image_layers WHERE image_id = images.id AND digest_key <> images.digest_key)`,
  "images are counted wrongly": `
    SELECT concat_ws(' ', counted.*, real.*) AS fault
    FROM (SELECT coalesce(sum(images), 0), coalesce(sum(not_full), 0) FROM image_counts) AS counted (images, not_full),
      (SELECT count(*), count(*) FILTER (WHERE coverage <> 'FULL') FROM images) AS real (images, not_full)
    WHERE (counted.images, counted.not_full) <> (real.images, real.not_full)`,
  "an image is not where its report says": `
    SELECT images.digest AS fault FROM images JOIN reports ON reports.id = report_id
    WHERE NOT EXISTS (SELECT FROM locations JOIN texts ON texts.id = repository_id
      WHERE digest_id = images.id AND text = entry->>'repository')`,
  "an image is not of the index that its report names": `
    SELECT images.digest AS fault FROM images JOIN reports ON reports.id = report_id
    WHERE entry->>'indexDigest' <> '' AND NOT EXISTS (SELECT FROM index_images JOIN texts ON texts.id = index_id
      WHERE image_id = images.id AND text = entry->>'indexDigest')`,
  "an image is not where its index is": `
    SELECT images.digest AS fault FROM index_images JOIN images ON images.id = image_id JOIN locations ON digest_id = index_id
    WHERE NOT EXISTS (SELECT FROM locations AS own
      WHERE own.digest_id = images.id AND own.repository_id = locations.repository_id)`,
  "an image has another first repository": `
    SELECT images.digest AS fault FROM images
    WHERE first_repository <> (SELECT left(min(text), 500) FROM locations JOIN texts ON texts.id = repository_id
      WHERE digest_id = images.id)`,
  "a tag is where its image is not": `
    SELECT concat_ws(' ', repository_id, tag_id) AS fault FROM tags
    WHERE NOT EXISTS (SELECT FROM locations
      WHERE locations.digest_id = tags.digest_id AND locations.repository_id = tags.repository_id)`,
  "a repository has no name for globs": `
    SELECT repository_id::text AS fault FROM locations WHERE repository_id NOT IN (SELECT id FROM repositories)`,
  "a number stands for no text": `
    SELECT used.id::text AS fault FROM (
      SELECT digest_id FROM locations UNION SELECT repository_id FROM locations UNION SELECT unnest(ARRAY[repository_id, tag_id, digest_id])
      FROM tags UNION SELECT unnest(ARRAY[index_id, image_id]) FROM index_images UNION SELECT index_id FROM index_platforms UNION SELECT id FROM images
      UNION SELECT layer_id FROM image_layers UNION SELECT vulnerability_id FROM findings UNION SELECT vulnerability_id FROM details
      UNION SELECT id FROM repositories UNION SELECT image_id FROM reports) AS used (id)
    WHERE NOT EXISTS (SELECT FROM texts WHERE texts.id = used.id)`,
  "a text or detail that is needed is to be removed": `
    SELECT text AS fault FROM texts WHERE unused_since IS NOT NULL AND id IN (SELECT image_id FROM reports)
    UNION ALL SELECT details.id::text FROM details JOIN findings ON details.id = ANY (findings.detail_ids)
    WHERE unused_since IS NOT NULL`,
};

interface ImageRow {
  [column: string]: unknown;
  digest: string;
  digest_key: string;
  worst_key: Buffer;
  entry: ReportEntry;
}

/** What is wrong with the tables of reports, when nobody is writing. @param client its search path is that of the tables */
export async function auditPostgresReports(client: Client): Promise<string[]> {
  const found: string[] = [];
  for (const [what, statement] of Object.entries(faults)) {
    const { rows } = await client.query<{ fault: string }>(statement);
    found.push(...rows.map(({ fault }) => `${what}: ${fault}`));
  }
  const { rows } = await client.query<ImageRow>(
    "SELECT images.*, entry FROM images JOIN reports ON reports.id = report_id",
  );
  return [...found, ...rows.flatMap(compareColumns)];
}

/** The columns say what the entry says. */
function compareColumns(row: ImageRow): string[] {
  const { counts, coverage, scanner, scannedAt, knownExploited, maxEpss, digest } = row.entry;
  const expected = {
    ...{ digest, digest_key: String(digestKey(digest)), coverage, scanner, scanned_at: String(scannedAt) },
    ...{ worst: worstOf(counts), known_exploited: knownExploited, findings: counts.total, fixable: counts.fixable },
    epss: epssNumber(maxEpss),
    ...{ unknown: counts.bySeverity.UNKNOWN ?? 0, negligible: counts.bySeverity.NEGLIGIBLE ?? 0 },
    ...{ low: counts.bySeverity.LOW ?? 0, medium: counts.bySeverity.MEDIUM ?? 0 },
    ...{ high: counts.bySeverity.HIGH ?? 0, critical: counts.bySeverity.CRITICAL ?? 0 },
  };
  const wrong = Object.entries(expected).filter(([column, value]) => row[column] !== value);
  const faults = wrong.map(([column, value]) => `${digest}: ${column} is ${row[column]} instead of ${value}`);
  return worstKey(row.entry).equals(row.worst_key) ? faults : [...faults, `${digest}: its place in WORST is wrong`];
}
