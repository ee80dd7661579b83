import type { ImageLocation, ListedReport } from "../domain/report-entry.ts";
import type { Query } from "./database.ts";

/** How many repositories of an image, and how many tags of a repository, are given. */
const most = 100;

/**
 * A statement that gives the tags by which an image is in a repository, directly or through an index, by name.
 * @param imageId the number of the image, as the statement around it has it
 */
export function tagsAt(imageId: string, repositoryId: string): string {
  return `ARRAY(
    SELECT texts.text FROM tags JOIN texts ON texts.id = tags.tag_id
    WHERE tags.repository_id = ${repositoryId} AND tags.digest_id IN (
      SELECT ${imageId} UNION SELECT index_id FROM index_images WHERE index_images.image_id = ${imageId})
    ORDER BY texts.text LIMIT ${most})`;
}

/** Where an image is, and in how many repositories. */
type Locations = Pick<ListedReport, "locations" | "locationCount">;

/** Where the images are, by their numbers. */
export async function locationsOf(query: Query, imageIds: readonly number[]): Promise<(imageId: number) => Locations> {
  const rows = await query<ImageLocation & { id: number; count: number }>(
    `SELECT asked.id, repository, count, ${tagsAt("asked.id", "location.repository_id")} AS tags
     FROM unnest($1::int[]) AS asked (id), LATERAL (
       SELECT repository_id, texts.text AS repository, count(*) OVER () AS count FROM locations JOIN texts ON texts.id = repository_id
       WHERE digest_id = asked.id ORDER BY texts.text LIMIT ${most}) AS location
     ORDER BY asked.id, repository`,
    [imageIds],
  );
  const byImage = Map.groupBy(rows, ({ id }) => id);
  return (imageId) => {
    const own = byImage.get(imageId) ?? [];
    return { locations: own.map(({ repository, tags }) => ({ repository, tags })), locationCount: own[0]?.count ?? 0 };
  };
}
