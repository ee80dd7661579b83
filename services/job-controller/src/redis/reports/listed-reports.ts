import type { ImageLocation, ListedReport, ReportEntry } from "../../domain/report-entry.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import type { ImageFacts } from "./image-facts.ts";
import { type ImageState, readImages } from "./image-state.ts";

/** An image in a list, as the orders know it. */
export interface Found {
  facts: ImageFacts;
  shard: Shard;
}

/** What lists show of the images, in their order; undefined for those that are gone. */
export async function readListed(
  redis: ScriptedRedis,
  shards: Shards,
  found: readonly Found[],
): Promise<Array<ListedReport | undefined>> {
  const listed = new Map<string, ListedReport>();
  await shards.all(async (shard) => {
    const own = found.filter((each) => each.shard === shard);
    if (own.length === 0) return;
    const [entries, images] = await Promise.all([
      answered(redis.hmget(shard.keys.reports.entries, ...own.map(({ facts }) => String(facts.number)))),
      readImages(
        redis,
        shard,
        own.map(({ facts }) => facts.digest),
      ),
    ]);
    for (const [at, text] of entries.entries()) {
      const entry = text === null ? undefined : (JSON.parse(text) as ReportEntry);
      // the number may have come to another image by now
      if (entry?.digest === own[at]?.facts.digest && entry !== undefined) {
        listed.set(entry.digest, { ...entry, locations: locationsOf(images[at]) });
      }
    }
  });
  return found.map(({ facts }) => listed.get(facts.digest));
}

function locationsOf(image: ImageState | undefined): ImageLocation[] {
  return Object.entries(image?.places ?? {})
    .map(([repository, tags]) => ({ repository, tags: tags.split(" ").filter(Boolean).sort() }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.repository), Buffer.from(b.repository)));
}
