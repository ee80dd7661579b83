import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import type { ListedReport } from "../../domain/report-entry.ts";
import type { Page, PageRequest, VulnerabilityCounts, VulnerabilityMatch } from "../../ports/report-queries.ts";
import type { FoundImage } from "../../ports/report-store.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import { numbersIn, type QueryDeps } from "./list-reports.ts";
import { type Found, readListed, sortedByBytes } from "./listed-reports.ts";
import { mostParts, type Position, readPosition, writePosition } from "./page-position.ts";
import { blockCount, blockSize, type Postings } from "./postings.ts";
import { type FoundTerms, readBeyond, readLayers, readVulnerability } from "./read-postings.ts";
import { readFacts, readTotalSums } from "./repositories.ts";
import { readTerm } from "./terms.ts";
import { addSums, noSums, toTotals } from "./totals.ts";

/** Of how many images the facts are read at a time, at least, and of how many images a page reads the entries before it ends early. */
const factsAtOnce = 500;
const mostEntries = 1_500;
/** How many entries are read at a time. */
const entriesAtOnce = 100;

/** A page of the images that have a vulnerability, and how many have it in all. */
export async function findVulnerability(
  deps: QueryDeps,
  name: string,
  repository: string,
  page: PageRequest,
): Promise<Page<VulnerabilityMatch> & { counts: VulnerabilityCounts }> {
  const from = readPosition("VULNERABILITY", page.token);
  const found = await byShard(deps, (shard) => readVulnerability(deps.redis, shard, name));
  const only = repository === "" ? undefined : await numbersIn(deps, repository);
  const wanted = new Map([...found].map(([shard, { all }]) => [shard, all] as const));
  const matchesOf = (entry: ListedReport, { shard, facts }: Found, range: Range) =>
    toMatches(entry, termsOf(found.get(shard), facts.number), repository, range);
  const matches = await readPage(deps, { list: "VULNERABILITY", from, size: page.size }, { wanted, only }, matchesOf);
  return { ...matches, counts: await countsOf(deps, wanted) };
}

/** A page of the images whose newest report has one of the layers. */
export async function findByLayers(
  deps: QueryDeps,
  names: readonly string[],
  page: PageRequest,
): Promise<Page<FoundImage>> {
  const from = readPosition("LAYERS", page.token);
  const wanted = await byShard(deps, (shard) => readLayers(deps.redis, shard, names));
  return readPage(
    deps,
    { list: "LAYERS", from, size: page.size },
    { wanted },
    ({ digest, locations }, _, { from, to }) =>
      locations
        .slice(0, 1)
        .slice(from, to)
        .map((location) => ({ ...location, digest })),
  );
}

async function byShard<T>({ shards }: QueryDeps, read: (shard: Shard) => Promise<T>): Promise<Map<Shard, T>> {
  return new Map(await shards.all(async (shard) => [shard, await read(shard)] as const));
}

async function countsOf(deps: QueryDeps, wanted: Map<Shard, Postings>): Promise<VulnerabilityCounts> {
  const sums = noSums();
  for (const all of (await byShard(deps, (shard) => readTotalSums(deps.redis, shard))).values()) addSums(sums, all);
  const { images: scanned, byCoverage } = toTotals(sums);
  const beyond = await byShard(deps, (shard) => readBeyond(deps.redis, shard));
  const [...found] = wanted;
  return {
    images: found.reduce((sum, [, { size }]) => sum + size, 0),
    ...{ scanned, notFullyCovered: scanned - (byCoverage.FULL ?? 0) },
    partlyListed: found.reduce((sum, [shard, all]) => sum + (beyond.get(shard)?.countIn(all) ?? 0), 0),
  };
}

/** The terms of a vulnerability that the image has. */
function termsOf(found: FoundTerms | undefined, number: number): string[] {
  return (found?.terms ?? []).filter(({ postings }) => postings.has(number)).map(({ rest }) => rest);
}

/** Which parts of an image, by their positions. */
interface Range {
  from: number;
  to: number;
}

/** Those of the range alone: an image may be in hundreds of repositories, with the vulnerability in as many packages. */
function toMatches(
  entry: ListedReport,
  terms: readonly string[],
  repository: string,
  { from, to }: Range,
): VulnerabilityMatch[] {
  const { digest, reportId, platform, coverage, scannedAt, locationCount } = entry;
  const locations = entry.locations.filter((location) => fitsGlob(repository, location.repository));
  // a zero byte is less than any other, so that terms are ordered by package, version and so on
  const ordered = sortedByBytes(terms);
  const matches: VulnerabilityMatch[] = [];
  for (let at = from; at < Math.min(to, ordered.length * locations.length); at++) {
    const rest = ordered[Math.floor(at / locations.length)] ?? "";
    const location = locations[at % locations.length] ?? { repository: "", tags: [] };
    const report = { digest, reportId, platform, coverage, scannedAt, locationCount };
    matches.push({ ...location, ...report, ...readTerm(rest) });
  }
  return matches;
}

interface PageOf {
  list: string;
  from: Position;
  size: number;
}

interface Wanted {
  wanted: Map<Shard, Postings>;
  only?: Map<Shard, Set<number>> | undefined;
}

/** Goes through the images by digest, and through the parts of each, until the page is full. */
async function readPage<T>(
  { redis, shards }: QueryDeps,
  { list, from, size }: PageOf,
  images: Wanted,
  partsOf: (entry: ListedReport, found: Found, range: Range) => T[],
): Promise<Page<T>> {
  const page: Page<T> = { items: [], nextToken: "" };
  let entries = 0;
  /** Adds the parts that are not given yet. Whether the page is full. */
  const add = (entry: ListedReport, found: Found): boolean => {
    const key = keyOf(found);
    const given = key.equals(from.key) ? from.parts : 0;
    const parts = partsOf(entry, found, { from: given, to: given + size - page.items.length });
    page.items.push(...parts);
    const isFull = page.items.length === size;
    if (isFull) page.nextToken = writePosition(list, { key, parts: given + parts.length });
    else if (entries >= mostEntries) page.nextToken = writePosition(list, { key, parts: mostParts });
    return isFull;
  };
  for await (const some of byDigest(redis, images, from.key, Math.min(entriesAtOnce, size))) {
    entries += some.length;
    const listed = await readListed(redis, shards, some, { mostLocations: Number.POSITIVE_INFINITY });
    const isFull = listed.some((entry, at) => entry !== undefined && add(entry, some[at] as Found));
    if (isFull || page.nextToken !== "") break;
  }
  return page;
}

/** The images in the order of their digests, from the one with the key on, some at a time. */
async function* byDigest(redis: ScriptedRedis, wanted: Wanted, from: Buffer, atOnce: number): AsyncGenerator<Found[]> {
  for (const numbers of inBlocks(wanted, from[0] ?? 0)) {
    const found = await Promise.all(
      [...numbers].map(async ([shard, own]) => {
        return (await readFacts(redis, shard, own)).map((facts): Found => ({ facts, shard }));
      }),
    );
    const keyed = found.flat().map((image) => ({ image, key: keyOf(image) }));
    const behind = keyed.filter(({ key }) => Buffer.compare(key, from) >= 0);
    const images = behind.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ image }) => image);
    for (let at = 0; at < images.length; at += atOnce) yield images.slice(at, at + atOnce);
  }
}

/** The numbers of the images from the block on, whole blocks together. */
function* inBlocks({ wanted, only }: Wanted, first: number): Generator<Map<Shard, number[]>> {
  let [numbers, count] = [new Map<Shard, number[]>(), 0];
  for (let block = first; block < blockCount; block++) {
    for (const [shard, postings] of wanted) {
      const own = postings.numbersOf(block).filter((number) => only === undefined || only.get(shard)?.has(number));
      numbers.set(shard, [...(numbers.get(shard) ?? []), ...own]);
      count += own.length;
    }
    if (count < factsAtOnce) continue;
    yield numbers;
    [numbers, count] = [new Map(), 0];
  }
  if (count > 0) yield numbers;
}

/** Blocks are in the order of digests, and within a block the digests themselves. */
function keyOf({ facts }: Found): Buffer {
  return Buffer.concat([Buffer.from([Math.floor(facts.number / blockSize)]), facts.packedDigest]);
}
