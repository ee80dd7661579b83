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

/** What is read of images. */
export interface ListedParts {
  /** How many locations of each image are kept: the first that fit. Default 100. */
  mostLocations?: number;
  /** Of other images the locations are not read. */
  passes?: (entry: ReportEntry) => boolean;
}

/** What a list knows of an image. */
export interface ListedImage extends ListedReport {
  /** All its repositories that are listed, by name. */
  repositories: readonly string[];
}

/** How many images are read at a time with all their tags, of which most are left out at once. */
const locatedAtOnce = 10;
const mostTags = 100;
/** Up to how many repositories are in the state of an image (reports/locate.lua). */
const mostListed = 250;

/** What lists show of the images, in their order; undefined for those that are gone or do not pass. */
export async function readListed(
  redis: ScriptedRedis,
  shards: Shards,
  found: readonly Found[],
  parts: ListedParts = {},
): Promise<Array<ListedImage | undefined>> {
  const listed = new Map<string, ListedImage>();
  await shards.all(async (shard) => {
    const entries = await readEntries(
      redis,
      shard,
      found.filter((each) => each.shard === shard),
      parts,
    );
    for (let at = 0; at < entries.length; at += locatedAtOnce) {
      const some = entries.slice(at, at + locatedAtOnce);
      for (const image of await locate(redis, shard, some, parts)) listed.set(image.digest, image);
    }
  });
  return found.map(({ facts }) => listed.get(facts.digest));
}

async function readEntries(
  redis: ScriptedRedis,
  { keys }: Shard,
  found: readonly Found[],
  { passes = () => true }: ListedParts,
): Promise<ReportEntry[]> {
  if (found.length === 0) return [];
  const numbers = found.map(({ facts }) => String(facts.number));
  const texts = await answered(redis.hmget(keys.reports.entries, ...numbers));
  return texts.flatMap((text, at) => {
    const entry = text === null ? undefined : (JSON.parse(text) as ReportEntry);
    // the number may have come to another image by now
    return entry?.digest === found[at]?.facts.digest && entry !== undefined && passes(entry) ? [entry] : [];
  });
}

async function locate(
  redis: ScriptedRedis,
  shard: Shard,
  entries: readonly ReportEntry[],
  { mostLocations = 100 }: ListedParts,
): Promise<ListedImage[]> {
  const images = await readImages(
    redis,
    shard,
    entries.map(({ digest }) => digest),
  );
  return Promise.all(
    entries.map(async (entry, at) => {
      const known = images[at]?.locations ?? {};
      const repositories = sortedByBytes(Object.keys(known));
      const isMore = repositories.length >= mostListed;
      const beyond = isMore ? await answered(redis.scard(shard.keys.reports.locationsBeyond(entry.digest))) : 0;
      const locations = repositories.slice(0, mostLocations).map((name) => locationOf(name, known));
      return { ...entry, locations, locationCount: repositories.length + beyond, repositories };
    }),
  );
}

function locationOf(repository: string, known: ImageState["locations"]): ImageLocation {
  const tags = (known[repository] ?? "").split(" ").filter(Boolean).sort().slice(0, mostTags);
  return { repository, tags };
}

/** The texts in the order of their bytes. */
export function sortedByBytes(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ name }) => name);
}
