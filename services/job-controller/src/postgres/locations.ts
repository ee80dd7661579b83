import type { ImageLocation } from "../domain/report-entry.ts";
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

/** Where the images are, by their numbers. */
export async function locationsOf(
  query: Query,
  imageIds: readonly number[],
): Promise<(imageId: number) => ImageLocation[]> {
  const rows = await query<ImageLocation & { id: number }>(
    `SELECT asked.id, repository, ${tagsAt("asked.id", "place.repository_id")} AS tags
     FROM unnest($1::int[]) AS asked (id), LATERAL (
       SELECT repository_id, texts.text AS repository FROM places JOIN texts ON texts.id = repository_id
       WHERE digest_id = asked.id ORDER BY texts.text LIMIT ${most}) AS place
     ORDER BY asked.id, repository`,
    [imageIds],
  );
  const byImage = Map.groupBy(rows, ({ id }) => id);
  return (imageId) => (byImage.get(imageId) ?? []).map(({ repository, tags }) => ({ repository, tags }));
}
