import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";

/** A report that an image has. */
export interface KeptReport {
  id: string;
  /** In milliseconds since 1970. */
  scanned: number;
  /** In milliseconds since 1970. */
  stored: number;
  platform: string;
}

/** What is known of a digest, as reports/images.lua keeps it. */
export interface ImageState {
  /** Grows with each change of its reports or terms. */
  version: number;
  /** Repository -> its tags, with a blank between two. */
  locations: Record<string, string>;
  /** When a tag or a scan last named it, in milliseconds since 1970. */
  seen: number;
  /** Stands for the image in the indexes. */
  number?: number;
  /** The newest first; there are some when it is in the indexes. */
  reports?: KeptReport[];
  /** What its newest report adds to totals; see totals.ts. */
  sums?: number[];
}

/** How many are read at a time, so that Redis is never held for long. */
const readAtOnce = 500;

const unknown: ImageState = { version: 0, locations: {}, seen: 0 };

/** Reads the states of digests of the shard, in their order. */
export async function readImages(
  redis: ScriptedRedis,
  { keys }: Shard,
  digests: readonly string[],
): Promise<ImageState[]> {
  const images: ImageState[] = [];
  for (let at = 0; at < digests.length; at += readAtOnce) {
    const texts = await answered(redis.hmget(keys.reports.images, ...digests.slice(at, at + readAtOnce)));
    for (const text of texts) images.push(text === null ? unknown : (JSON.parse(text) as ImageState));
  }
  return images;
}

/** Reads the state of one digest. */
export async function readImage(redis: ScriptedRedis, shard: Shard, digest: string): Promise<ImageState> {
  const [image = unknown] = await readImages(redis, shard, [digest]);
  return image;
}
