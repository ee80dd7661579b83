import type { FoundImage } from "../ports/report-store.ts";
import type { Query } from "./database.ts";
import { mostOfName } from "./refresh-image.ts";
import { idsOfTexts, toText } from "./texts.ts";

/** An image that was scanned of an index. */
export interface IndexMember {
  index: string;
  image: string;
}

/** What a scan or a registry named. */
interface Named {
  images: readonly FoundImage[];
  members?: readonly IndexMember[];
  /** In milliseconds since 1970. */
  now: number;
}

/** How much later a location is to be named again so that it is noted anew, in milliseconds: each writes a row. */
const seenAnewMs = 3_600_000;

/**
 * Notes where images and indexes are and which tags point at them. An image is also where its indexes are: of two who note at once
 * where an index is and that it has an image, the later one sees what the other has noted, because each notes its own first.
 */
export async function noteLocations(query: Query, { images, members = [], now }: Named): Promise<void> {
  const names = images.flatMap(({ repository, digest, tags }) => [repository, digest, ...tags]);
  const idOf = await idsOfTexts(query, [...names, ...members.flatMap(({ index, image }) => [index, image])]);
  const locations = images.map(({ repository, digest }) => [idOf(digest), idOf(repository)] as const);
  const digestIds = locations.map(([digestId]) => digestId);
  await query(
    `WITH named AS (
       INSERT INTO repositories (id, name) SELECT id, text FROM texts WHERE id = ANY ($2) ORDER BY id ON CONFLICT DO NOTHING)
     INSERT INTO locations (digest_id, repository_id, seen_at)
     SELECT DISTINCT digest_id, repository_id, $3::bigint FROM unnest($1::int[], $2::int[]) AS named (digest_id, repository_id)
     ORDER BY 1, 2 ON CONFLICT (digest_id, repository_id) DO UPDATE SET seen_at = excluded.seen_at
     WHERE locations.seen_at <= excluded.seen_at - ${seenAnewMs}`,
    [digestIds, locations.map(([, repositoryId]) => repositoryId), now],
  );
  // upkeep removes an image of an index that is nowhere; a row that it is about to remove is waited for, as of tags and locations
  if (members.length > 0) {
    await query(
      `INSERT INTO index_images SELECT DISTINCT * FROM unnest($1::int[], $2::int[])
       ON CONFLICT (index_id, image_id) DO UPDATE SET index_id = excluded.index_id WHERE false`,
      [members.map(({ index }) => idOf(index)), members.map(({ image }) => idOf(image))],
    );
  }
  await query(
    `INSERT INTO locations (digest_id, repository_id, seen_at)
     SELECT DISTINCT image_id, repository_id, $2::bigint FROM index_images JOIN locations ON digest_id = index_id
     WHERE index_id = ANY ($1) ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
    [digestIds, now],
  );
  await pointTags(query, images, idOf);
  await setFirstRepository(query, digestIds);
}

/** Notes which platforms a scan of the index has looked for; once it was all, no other scan tells more. */
export async function noteIndexPlatforms(query: Query, index: string, platforms: readonly string[]): Promise<void> {
  const idOf = await idsOfTexts(query, [index]);
  await query(
    `INSERT INTO index_platforms AS known VALUES ($1, $2)
     ON CONFLICT (index_id) DO UPDATE SET platforms = excluded.platforms WHERE known.platforms <> '{all}'`,
    [idOf(index), platforms.map(toText)],
  );
}

/** Of a tag that is named several times the last counts. */
async function pointTags(query: Query, images: readonly FoundImage[], idOf: (text: string) => number): Promise<void> {
  const pointed = new Map<string, number[]>();
  for (const { repository, digest, tags } of images) {
    for (const tag of tags) {
      const ids = [idOf(repository), idOf(tag), idOf(digest)];
      pointed.set(`${ids[0]} ${ids[1]}`, ids);
    }
  }
  if (pointed.size === 0) return;
  const column = (index: number) => [...pointed.values()].map((ids) => ids[index]);
  await query(
    `INSERT INTO tags (repository_id, tag_id, digest_id)
     SELECT * FROM unnest($1::int[], $2::int[], $3::int[]) ORDER BY 1, 2
     ON CONFLICT (repository_id, tag_id) DO UPDATE SET digest_id = excluded.digest_id
     WHERE tags.digest_id <> excluded.digest_id`,
    [column(0), column(1), column(2)],
  );
}

const firstRepository = `(
  SELECT left(min(text), ${mostOfName}) FROM locations JOIN texts ON texts.id = repository_id WHERE digest_id = images.id)`;

/** The images' order by repository. Image by image, so that no plan reads all images or names for the few. */
async function setFirstRepository(query: Query, digestIds: readonly number[]): Promise<void> {
  await query(
    `UPDATE images SET first_repository = ${firstRepository}
     WHERE first_repository <> ${firstRepository} AND id = ANY (ARRAY(
       SELECT unnest($1::int[]) UNION SELECT image_id FROM index_images WHERE index_id = ANY ($1)))`,
    [digestIds],
  );
}
