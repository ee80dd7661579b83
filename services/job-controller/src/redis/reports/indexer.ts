import type { IndexedReport, ReportEntry } from "../../domain/report-entry.ts";
import type { ExploitationSums } from "../../ports/exploitation-data.ts";
import { list, number, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { headOf, tailOf } from "./image-facts.ts";
import { type ImageState, type KeptReport, readImage } from "./image-state.ts";
import { layerHashes, termsOf } from "./terms.ts";
import { sumsOf } from "./totals.ts";

/** How many terms one script call changes, so that it is short. */
const mostChanges = 100;
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

/** A report among those of its image. */
interface Kept {
  report: KeptReport;
  gone: readonly string[];
  /** How many reports are kept. */
  most: number;
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
    const others = (target.image.reports ?? []).filter((known) => known.id !== id && !gone.includes(known.id));
    const isNewest = !others.some((known) => known.scanned > scanned);
    const dropped = isNewest
      ? await replaceNewest(deps.redis, target, { report, terms, kept })
      : await change(target, { adds: [], removes: [], ...kept });
    return dropped && { isNewest, dropped };
  });
}

/** Makes the report the newest of its image; undefined when somebody else changed the image meanwhile. */
async function replaceNewest(
  redis: ScriptedRedis,
  target: Target,
  { report, terms, kept }: { report: IndexedReport; terms: ReadonlySet<string>; kept: Kept },
): Promise<string[] | undefined> {
  const { adds, removes, ...list } = await changesOf(redis, target, terms);
  const isLarge = adds.length > mostChanges || removes.length > mostChanges;
  if (isLarge && !(await addMany(target, adds))) return undefined;
  const newest = { adds, removes: isLarge ? [] : removes, ...kept, ...newestParts(report) };
  const dropped = await change(target, newest, { report, terms: without(list.terms, removes) });
  if (dropped === undefined || (isLarge && !(await removeMany(redis, target, removes)))) return undefined;
  return dropped;
}

/** Takes reports out of the indexes that are not the newest of their image; false when one of them is it. */
export async function dropReports(deps: IndexerDeps, digest: string, gone: readonly string[]): Promise<boolean> {
  return untilUnchanged(deps, digest, async (target) => {
    const [newest] = target.image.reports ?? [];
    if (newest === undefined || gone.includes(newest.id)) return false;
    return (await change(target, { adds: [], removes: [], gone })) && true;
  });
}

/**
 * Takes an image out of the indexes; false when it has another report than those.
 * @param since where it is is forgotten too when nothing named it since then, in milliseconds since 1970
 */
export async function forgetImage(
  deps: IndexerDeps,
  digest: string,
  gone: readonly string[],
  since = 0,
): Promise<boolean> {
  return untilUnchanged(deps, digest, async (target) => {
    if (target.image.reports?.some(({ id }) => !gone.includes(id))) return false;
    if (!(await removeMany(deps.redis, target, await readTerms(deps.redis, target)))) return undefined;
    const reply = await target.shard.run("reports/forget", digest, target.image.version, since);
    return number(reply) === 1 || undefined;
  });
}

/** Makes the exploitation of an image's newest report what the vulnerabilities come to; nothing is written when it is that. */
export async function renewExploitation(
  deps: IndexerDeps,
  digest: string,
  sumUp: (vulnerabilities: Iterable<string>) => ExploitationSums,
): Promise<void> {
  await untilUnchanged(deps, digest, async (target) => {
    const { shard, image } = target;
    const field = String(image.number);
    const text = image.sums && (await answered(deps.redis.hget(shard.keys.reports.entries, field)));
    if (text === undefined || text === null) return true;
    const entry = JSON.parse(text) as ReportEntry;
    const terms = await readTermTexts(deps.redis, target, await readTerms(deps.redis, target));
    const { knownExploited, maxEpss } = sumUp(terms.map((term) => (term ?? "").split("\0", 1)[0] ?? ""));
    if (entry.knownExploited === knownExploited && entry.maxEpss === maxEpss) return true;
    const renewed = { ...entry, knownExploited, maxEpss };
    const what = { adds: [], removes: [], gone: [], ...newestParts(renewed) };
    return (await change(target, what, { report: { ...renewed, layerNames: [] } })) && true;
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

/** What has to change so that the image has the terms, and the numbers of those that it has. */
async function changesOf(
  redis: ScriptedRedis,
  target: Target,
  wanted: ReadonlySet<string>,
): Promise<Changes & { terms: number[] }> {
  const terms = await readTerms(redis, target);
  const texts = await readTermTexts(redis, target, terms);
  const known = new Set(texts);
  const adds = [...wanted].filter((term) => !known.has(term));
  return { adds, removes: terms.filter((_, at) => !wanted.has(texts[at] ?? "")), terms };
}

async function readTermTexts(
  redis: ScriptedRedis,
  { shard: { keys } }: Target,
  terms: readonly number[],
): Promise<Array<string | null>> {
  const texts: Array<string | null> = [];
  for (let at = 0; at < terms.length; at += readAtOnce) {
    const some = terms.slice(at, at + readAtOnce).map(String);
    texts.push(...(await answered(redis.hmget(keys.reports.terms, ...some))));
  }
  return texts;
}

/** The numbers of the terms that the image has. */
async function readTerms(redis: ScriptedRedis, { shard: { keys }, image }: Target): Promise<number[]> {
  if (image.number === undefined) return [];
  const packed = await answered(redis.hgetBuffer(keys.reports.imageTerms, String(image.number)));
  return Array.from({ length: (packed?.length ?? 0) / 4 }, (_, at) => packed?.readUInt32BE(4 * at) ?? 0);
}

/** Adds all terms but the last, which go with the report itself; false when somebody else changed the image. */
async function addMany(target: Target, adds: string[]): Promise<boolean> {
  while (adds.length > mostChanges) {
    const some = { adds: adds.splice(0, mostChanges), removes: [], gone: [] };
    if ((await change(target, some)) === undefined) return false;
  }
  return true;
}

async function removeMany(redis: ScriptedRedis, target: Target, removes: readonly number[]): Promise<boolean> {
  if (removes.length === 0) return true;
  let terms = await readTerms(redis, target);
  for (let at = 0; at < removes.length; at += mostChanges) {
    const some = removes.slice(at, at + mostChanges);
    terms = without(terms, some);
    if ((await change(target, { adds: [], removes: some, gone: [] }, { terms })) === undefined) return false;
  }
  return true;
}

function without(terms: readonly number[], gone: readonly number[]): number[] {
  const isGone = new Set(gone);
  return terms.filter((term) => !isGone.has(term));
}

function newestParts(report: ReportEntry & Partial<IndexedReport>) {
  const { findings: _findings, layerNames: _layerNames, ...entry } = report;
  return { entry: JSON.stringify(entry), sums: sumsOf(entry) };
}

/**
 * Changes the image, unless somebody else did: then it is undefined. Else the ids of reports that are too many.
 * @param parts the report whose facts and layers are new; the terms that stay when some are removed
 */
async function change(
  { shard, digest, image }: Target,
  what: Changes & { gone: readonly string[] },
  { report, terms = [] }: { report?: ReportEntry & Pick<IndexedReport, "layerNames">; terms?: readonly number[] } = {},
): Promise<string[] | undefined> {
  const facts =
    report === undefined ? [none, none, none] : [headOf(report), tailOf(report), layerHashes(report.layerNames)];
  const json = JSON.stringify(what);
  const args = [digest, image.version, json, ...facts, what.removes.length === 0 ? none : packTerms(terms)];
  const [done, ...dropped] = list(await shard.run("reports/index", ...args));
  if (done !== 1) return undefined;
  image.version++;
  return dropped.map((id) => text(id));
}

function packTerms(terms: readonly number[]): Buffer {
  const packed = Buffer.alloc(4 * terms.length);
  for (const [at, term] of terms.entries()) packed.writeUInt32BE(term, 4 * at);
  return packed;
}

const none = Buffer.alloc(0);
