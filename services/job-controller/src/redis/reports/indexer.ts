import type { IndexedReport } from "../../domain/report-entry.ts";
import { list, number, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { headOf, tailOf } from "./image-facts.ts";
import { type ImageState, readImage } from "./image-state.ts";
import { layerHashes, termsOf } from "./terms.ts";
import { sumsOf } from "./totals.ts";

/** How many terms one script call changes, so that it is short. */
const mostChanges = 200;
/** How many terms are read at a time. */
const readAtOnce = 1_000;
/** How often it is begun anew because somebody else changed the image. */
const mostTries = 100;

/** What the indexer needs. */
export interface IndexerDeps {
  redis: ScriptedRedis;
  shards: Shards;
  /** How many reports of an image are kept. */
  reportsPerImage: number;
}

/** A report with when it was stored, in milliseconds since 1970. */
export interface StoredReport {
  entry: IndexedReport;
  storedAt: number;
}

/** What came of it. */
export interface Indexed {
  /** Whether it is the newest of its image. */
  isNewest: boolean;
  /** The ids of reports of the image that are too many. */
  dropped: string[];
}

/** An image as it stands. */
interface Target {
  shard: Shard;
  digest: string;
  image: ImageState;
}

interface Changes {
  adds: string[];
  /** By the numbers of the terms. */
  removes: number[];
}

/**
 * Takes a report into the indexes. Terms that it has anew are added before it counts as the newest, and those that it has no
 * more are removed after that: whatever breaks off in between, an image is rather found by too much than by too little, and
 * the same once more makes it right.
 * @param gone ids of reports that the image has no more
 */
export async function indexReport(
  deps: IndexerDeps,
  { entry: report, storedAt }: StoredReport,
  gone: readonly string[] = [],
): Promise<Indexed> {
  const terms = termsOf(report);
  const { reportId: id, scannedAt: scanned, platform } = report;
  const kept = { report: { id, scanned, stored: storedAt, platform }, gone, most: deps.reportsPerImage };
  return untilUnchanged(deps, report.digest, async (target) => {
    const { image } = target;
    const others = (image.reports ?? []).filter((known) => known.id !== id && !gone.includes(known.id));
    if (others.some((known) => known.scanned > scanned)) {
      const dropped = await change(target, { adds: [], removes: [], ...kept });
      return dropped && { isNewest: false, dropped };
    }
    const changes = await changesOf(deps.redis, target, terms);
    if (!(await addMany(target, changes))) return undefined;
    const newest = { ...kept, ...newestParts(report) };
    const removes = changes.removes.splice(0, mostChanges);
    const dropped = await change(target, { adds: changes.adds, removes, ...newest }, report);
    if (dropped === undefined || !(await removeMany(target, changes.removes))) return undefined;
    return { isNewest: true, dropped };
  });
}

/** Takes reports out of the indexes that are not the newest of their image. */
export async function dropReports(deps: IndexerDeps, digest: string, gone: readonly string[]): Promise<void> {
  await untilUnchanged(deps, digest, (target) => change(target, { adds: [], removes: [], gone }));
}

/**
 * Takes an image out of the indexes.
 * @param since where it is is forgotten too when nothing named it since then, in milliseconds since 1970
 */
export async function forgetImage(deps: IndexerDeps, digest: string, since = 0): Promise<void> {
  await untilUnchanged(deps, digest, async (target) => {
    const { removes } = await changesOf(deps.redis, target, new Set());
    if (!(await removeMany(target, removes))) return undefined;
    const reply = await target.shard.run("reports/forget", digest, target.image.version, since);
    return number(reply) === 1 || undefined;
  });
}

/** Runs it with the image as it stands, until nobody else changed it meanwhile. */
async function untilUnchanged<T>(
  { redis, shards }: IndexerDeps,
  digest: string,
  run: (target: Target) => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; tries < mostTries; tries++) {
    const shard = shards.ofKey(digest);
    const result = await run({ shard, digest, image: { ...(await readImage(redis, shard, digest)) } });
    if (result !== undefined) return result;
  }
  throw new Error(`the image ${digest} changes all the time`);
}

async function changesOf(
  redis: ScriptedRedis,
  { shard: { keys }, image }: Target,
  terms: ReadonlySet<string>,
): Promise<Changes> {
  const packed =
    image.number === undefined ? null : await answered(redis.hgetBuffer(keys.reports.imageTerms, String(image.number)));
  const numbers = Array.from({ length: (packed?.length ?? 0) / 4 }, (_, at) => packed?.readUInt32BE(4 * at) ?? 0);
  const texts: Array<string | null> = [];
  for (let at = 0; at < numbers.length; at += readAtOnce) {
    const some = numbers.slice(at, at + readAtOnce).map(String);
    texts.push(...(await answered(redis.hmget(keys.reports.terms, ...some))));
  }
  const known = new Set(texts);
  const adds = [...terms].filter((term) => !known.has(term));
  return { adds, removes: numbers.filter((_, at) => !terms.has(texts[at] ?? "")) };
}

/** Adds all terms but the last, which go with the report itself; false when somebody else changed the image. */
async function addMany(target: Target, { adds }: Changes): Promise<boolean> {
  while (adds.length > mostChanges) {
    const some = { adds: adds.splice(0, mostChanges), removes: [], gone: [] };
    if ((await change(target, some)) === undefined) return false;
  }
  return true;
}

async function removeMany(target: Target, removes: number[]): Promise<boolean> {
  while (removes.length > 0) {
    const some = { adds: [], removes: removes.splice(0, mostChanges), gone: [] };
    if ((await change(target, some)) === undefined) return false;
  }
  return true;
}

function newestParts(report: IndexedReport) {
  const { findings: _findings, layerNames: _layerNames, ...entry } = report;
  return { entry: JSON.stringify(entry), sums: sumsOf(entry) };
}

/** Changes the image, unless somebody else did: then it is undefined. Else the ids of reports that are too many. */
async function change(
  { shard, digest, image }: Target,
  what: Changes & { gone: readonly string[] },
  report?: IndexedReport,
): Promise<string[] | undefined> {
  const [head, tail, layers] =
    report === undefined ? [none, none, none] : [headOf(report), tailOf(report), layerHashes(report.layerNames)];
  const json = JSON.stringify(what);
  const [done, ...dropped] = list(await shard.run("reports/index", digest, image.version, json, head, tail, layers));
  if (done !== 1) return undefined;
  image.version++;
  return dropped.map((id) => text(id));
}

const none = Buffer.alloc(0);
