import type { Clock } from "@drydock/shared/clock.ts";
import type { Database } from "./database.ts";
import { lockImage, refreshImage } from "./refresh-image.ts";

/** How many images are tidied at a time. */
const most = 100;

const dayMs = 86_400_000;

/**
 * The newest are kept, and one from a day before the newest, if there is one, as comparisons with yesterday need it: in place
 * of the last of those where none of them is that old.
 */
const dropTooMany = `
  WITH placed AS (
    SELECT id, row_number() OVER (ORDER BY scanned_at DESC, seq DESC) AS place,
      scanned_at > max(scanned_at) OVER () - $3::bigint AS is_recent
    FROM reports WHERE image_id = $1),
  yesterday AS (SELECT min(place) AS place FROM placed WHERE NOT is_recent)
  DELETE FROM reports WHERE id IN (
    SELECT placed.id FROM placed, yesterday
    WHERE placed.place >= $2::int
      AND placed.place <> CASE WHEN $2::int > 1 AND yesterday.place > $2::int THEN yesterday.place ELSE $2::int END)`;

/** What tidying needs. */
export interface TidyDeps {
  database: Database;
  keepMs: number;
  reportsPerImage: number;
  clock: Clock;
}

/** Removes what is too old, and of each image what is too much; resolves to whether more is to be done. */
export async function tidy({ database, keepMs, reportsPerImage, clock }: TidyDeps): Promise<boolean> {
  const before = clock.now() - keepMs;
  const old = await database.query<{ image_id: number }>(
    "SELECT image_id FROM reports WHERE stored_at < $1 ORDER BY stored_at LIMIT $2",
    [before, most],
  );
  const full = await database.query<{ image_id: number }>(
    "SELECT image_id FROM reports GROUP BY image_id HAVING count(*) > $1 LIMIT $2",
    [reportsPerImage, most],
  );
  for (const imageId of new Set([...old, ...full].map(({ image_id }) => image_id))) {
    await tidyImage(database, imageId, { before, reportsPerImage });
  }
  return old.length === most || full.length === most;
}

async function tidyImage(
  database: Database,
  imageId: number,
  { before, reportsPerImage }: { before: number; reportsPerImage: number },
): Promise<void> {
  await database.transact(async (query) => {
    await lockImage(query, imageId);
    await query("DELETE FROM reports WHERE image_id = $1 AND stored_at < $2", [imageId, before]);
    await query(dropTooMany, [imageId, reportsPerImage, dayMs]);
    await refreshImage(query, imageId);
  });
}
