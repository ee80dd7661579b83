import type { Clock } from "@drydock/shared/clock.ts";
import type { ReportEntry } from "../domain/report-entry.ts";
import type { Database, Query } from "./database.ts";
import { noteLocations } from "./note-locations.ts";

/** How many rows of a table are looked at a time. */
const portion = 1_000;

const hourMs = 3_600_000;

/** The rows behind one number, up to another, and the times that say what is old, in milliseconds since 1970. */
interface Portion {
  database: Database;
  after: number;
  last: number;
  now: number;
  /** What nobody has needed since then is removed. */
  before: number;
}

/** What is looked at in the order of a number. */
interface Round {
  table: string;
  id: string;
  look(portion: Portion): Promise<unknown>;
}

/** What upkeep needs. */
interface UpkeepDeps {
  database: Database;
  /** How long reports are kept, in milliseconds. */
  keepMs: number;
  clock: Clock;
}

/**
 * Goes round through the tables, a portion at a time. Removes where images are that have no report and that nothing has named for
 * as long as reports are kept, their tags and indexes, and then texts and details. Reports that are not the newest of their image
 * may have those. So they go only when they have been in no newest one for longer than reports are kept: who stores a report that
 * has them begins anew. And notes where an image is when the controller that stored its report did not come to that.
 */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #rounds = rounds.map((round) => ({ round, after: 0 }));

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  /** Looks at the next portion of each table. */
  async lookAround(): Promise<void> {
    const { database, keepMs, clock } = this.#deps;
    const now = clock.now();
    for (const each of this.#rounds) {
      const { round, after } = each;
      const last = await lastOfPortion(database.query, round, after);
      if (last > 0) await round.look({ database, after, last, now, before: now - keepMs - hourMs });
      each.after = last;
    }
  }
}

/** The number at which the portion ends; 0 behind the last. */
async function lastOfPortion(query: Query, { table, id }: Round, after: number): Promise<number> {
  const [row] = await query<{ last: number | null }>(
    `SELECT max(id) AS last FROM (SELECT ${id} AS id FROM ${table} WHERE ${id} > $1 ORDER BY ${id} LIMIT ${portion}) AS next`,
    [after],
  );
  return row?.last ?? 0;
}

/**
 * Rows are locked first, and then looked at again: who names one again has either come before that, or waits, and writes it anew.
 * @param isUnneeded what the rows to remove meet; $3 is the time before which all is old
 * @param withRemoval makes the statement that does what follows from the removal, too
 */
function removal(table: string, id: string, isUnneeded: string, withRemoval = (removal: string) => removal): Round {
  const rows = `FROM ${table} WHERE ${id} > $1 AND ${id} <= $2 AND $3::bigint IS NOT NULL AND ${isUnneeded}`;
  const look = ({ database, after, last, before }: Portion) =>
    database.transact(async (query) => {
      const locked = await query<{ ctid: string }>(`SELECT ctid ${rows} ORDER BY ${id} FOR UPDATE`, [
        after,
        last,
        before,
      ]);
      if (locked.length === 0) return;
      const text = withRemoval(`DELETE ${rows} AND ctid = ANY ($4::tid[])`);
      await query(text, [after, last, before, locked.map(({ ctid }) => ctid)]);
    });
  return { table, id, look };
}

/** Notes since when rows are not needed, and removes those that have not been for long. */
function retirement(table: string, isNeeded: string): Round {
  const inPortion = "id > $1 AND id <= $2";
  const look = async ({ database: { query }, after, last, now, before }: Portion) => {
    await query(
      `UPDATE ${table} SET unused_since = CASE WHEN unused_since IS NULL THEN $3::bigint END
       WHERE ${inPortion} AND (${isNeeded}) = (unused_since IS NOT NULL)`,
      [after, last, now],
    );
    await query(`DELETE FROM ${table} WHERE ${inPortion} AND unused_since < $3 AND NOT (${isNeeded})`, [
      after,
      last,
      before,
    ]);
  };
  return { table, id: "id", look };
}

/** A name goes while nobody can note that an image is in the repository. */
const repositories: Round = {
  table: "repositories",
  id: "id",
  async look({ database, after, last }) {
    const unneeded = `repositories WHERE id > $1 AND id <= $2
      AND NOT EXISTS (SELECT FROM locations WHERE repository_id = repositories.id)`;
    if ((await database.query(`SELECT FROM ${unneeded} LIMIT 1`, [after, last])).length === 0) return;
    await database.transact(async (query) => {
      await query("LOCK TABLE locations IN SHARE MODE");
      await query(`DELETE FROM ${unneeded}`, [after, last]);
    });
  },
};

/** Tags are left alone: they may have moved since. */
const unlocated: Round = {
  table: "images",
  id: "id",
  async look({ database: { query }, after, last, now }) {
    const rows = await query<{ entry: ReportEntry }>(
      `SELECT entry FROM images JOIN reports ON reports.id = report_id
       WHERE images.id > $1 AND images.id <= $2 AND NOT EXISTS (
         SELECT FROM locations JOIN texts ON texts.id = repository_id WHERE digest_id = images.id AND text = entry->>'repository')`,
      [after, last],
    );
    for (const { entry } of rows) {
      const { repository, digest, indexDigest } = entry;
      const members = indexDigest === "" ? [] : [{ index: indexDigest, image: digest }];
      await noteLocations(query, { images: [{ repository, digest: indexDigest || digest, tags: [] }], members, now });
    }
  },
};

const hasLocation = (digestId: string) => `EXISTS (SELECT FROM locations WHERE locations.digest_id = ${digestId})`;
const hasReport = (imageId: string) => `EXISTS (SELECT FROM images WHERE images.id = ${imageId})`;

/** What a scan has looked for in an index is known while each of its images is: one that is gone is to be scanned again. */
const indexImages = removal(
  "index_images",
  "index_id",
  `NOT (${hasLocation("index_id")} AND ${hasReport("image_id")})`,
  (removal) => `WITH gone AS (${removal} RETURNING index_id)
    DELETE FROM index_platforms USING gone WHERE index_platforms.index_id = gone.index_id`,
);

const rounds: readonly Round[] = [
  unlocated,
  removal(
    "locations",
    "digest_id",
    `seen_at < $3 AND NOT ${hasReport("digest_id")} AND NOT EXISTS (
       SELECT FROM locations AS seen WHERE seen.digest_id = locations.digest_id AND seen.seen_at >= $3)`,
  ),
  removal(
    "tags",
    "repository_id",
    `NOT EXISTS (SELECT FROM locations
       WHERE locations.digest_id = tags.digest_id AND locations.repository_id = tags.repository_id)`,
  ),
  indexImages,
  removal(
    "index_platforms",
    "index_id",
    "NOT EXISTS (SELECT FROM index_images WHERE index_images.index_id = index_platforms.index_id)",
  ),
  repositories,
  retirement(
    "details",
    `EXISTS (SELECT FROM findings
       WHERE findings.vulnerability_id = details.vulnerability_id AND details.id = ANY (findings.detail_ids))`,
  ),
  retirement(
    "texts",
    [
      ...["details WHERE vulnerability_id", "image_layers WHERE layer_id", "reports WHERE image_id"],
      ...["locations WHERE digest_id", "locations WHERE repository_id", "repositories WHERE id"],
      ...["tags WHERE repository_id", "tags WHERE tag_id", "tags WHERE digest_id"],
      ...["index_images WHERE index_id", "index_images WHERE image_id", "index_platforms WHERE index_id"],
    ]
      .map((rows) => `EXISTS (SELECT FROM ${rows.replace("WHERE ", "AS row WHERE row.")} = texts.id)`)
      .join(" OR "),
  ),
];
