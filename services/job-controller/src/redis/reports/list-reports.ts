import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import { type ListedReport, severities } from "../../domain/report-entry.ts";
import type { Page, PageRequest, ReportFilter, ReportOrder } from "../../ports/report-queries.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { type ImageFacts, scannerMarkOf, timePrefix } from "./image-facts.ts";
import { readImages } from "./image-state.ts";
import { inOrder, type Step, walk } from "./image-walk.ts";
import { type Found, type ListedImage, readListed } from "./listed-reports.ts";
import { readPosition, writePosition } from "./page-position.ts";
import type { Postings } from "./postings.ts";
import { readVulnerability } from "./read-postings.ts";
import { readAllNumbers, readFacts, readSums } from "./repositories.ts";

/** What queries read from. */
export interface QueryDeps {
  redis: ScriptedRedis;
  shards: Shards;
}

/** Up to how many images a repository or a vulnerability is looked up by, instead of going through all in their order. */
const mostLookedUp = 5_000;
/** How many images a page looks at, and of how many it reads the whole entry, before it ends early. */
const mostSteps = 5_000;
const mostEntries = 1_500;
/** How many entries are read at a time, at least. */
const leastRead = 50;

/** A page of the newest reports of all images that the filter lets through. */
export async function listReports(
  deps: QueryDeps,
  filter: ReportFilter,
  order: ReportOrder,
  { size, token }: PageRequest,
): Promise<Page<ListedReport>> {
  const after = readPosition(order, token).key;
  const having = await readHaving(deps, filter);
  const found = await lookUp(deps, filter, having);
  const steps = found === undefined ? walk(deps.redis, deps.shards, order, beginOf(filter, order, after)) : undefined;
  const reader = new PageReader(deps, filter, order, size);
  const mark = filter.scanner === undefined ? undefined : scannerMarkOf(filter.scanner);
  const passes = ({ found: each }: Step) =>
    fits(filter, mark, each.facts) && (having === undefined || having.get(each.shard)?.has(each.facts.number) === true);
  for await (const some of steps ?? [await sort(deps, found ?? [], order, after)]) {
    await reader.read(some.filter(passes));
    reader.note(some);
    if (reader.isFull) break;
  }
  return reader.page;
}

/** Reads what is shown, and what only that tells, until a page is full. */
class PageReader {
  readonly #deps: QueryDeps;
  readonly #filter: ReportFilter;
  readonly #order: ReportOrder;
  readonly #size: number;
  readonly #items: ListedReport[] = [];
  #key: Buffer | undefined;
  #steps = 0;
  #entries = 0;

  constructor(deps: QueryDeps, filter: ReportFilter, order: ReportOrder, size: number) {
    this.#deps = deps;
    this.#filter = filter;
    this.#order = order;
    this.#size = size;
  }

  get isFull(): boolean {
    return this.#key !== undefined;
  }

  get page(): Page<ListedReport> {
    const nextToken = this.#key === undefined ? "" : writePosition(this.#order, { key: this.#key, parts: 0 });
    return { items: this.#items, nextToken };
  }

  async read(steps: readonly Step[]): Promise<void> {
    for (let at = 0; at < steps.length && !this.isFull; ) {
      const some = steps.slice(at, at + Math.max(leastRead, this.#size - this.#items.length));
      const listed = await readListed(
        this.#deps.redis,
        this.#deps.shards,
        some.map(({ found }) => found),
        { passes: ({ scanner }) => this.#filter.scanner === undefined || scanner === this.#filter.scanner },
      );
      at += some.length;
      this.#entries += some.length;
      for (const [number, entry] of listed.entries()) this.#take(some[number], entry);
      if (this.#entries >= mostEntries) this.#key ??= some.at(-1)?.key;
    }
  }

  /** Counts what was looked at. */
  note(steps: readonly Step[]): void {
    this.#steps += steps.length;
    if (this.#steps >= mostSteps) this.#key ??= steps.at(-1)?.key;
  }

  #take(step: Step | undefined, image: ListedImage | undefined): void {
    if (step === undefined || image === undefined || this.isFull) return;
    const { repositories, ...entry } = image;
    if (!repositories.some((name) => fitsGlob(this.#filter.repository, name))) return;
    if (this.#order === "REPOSITORY" && !isFirst(step.key, repositories)) return;
    this.#items.push(entry);
    if (this.#items.length === this.#size) this.#key = step.key;
  }
}

/** An image stands in several repositories, and is given where the first of them is. */
function isFirst(key: Buffer, repositories: readonly string[]): boolean {
  return repositories[0] === key.toString("utf8", 0, key.indexOf(0));
}

/** @param mark that of the filter's scanner, a hash that is not to be made for each image */
function fits(filter: ReportFilter, mark: number | undefined, image: ImageFacts): boolean {
  const { leastSeverity, fixable, knownExploited, coverage, scannedAfter, scannedBefore } = filter;
  if (leastSeverity !== undefined && !isAsBad(image, leastSeverity)) return false;
  if (!isAsAsked(fixable, image.fixable) || !isAsAsked(knownExploited, image.knownExploited)) return false;
  if (coverage !== undefined && image.coverage !== coverage) return false;
  if (mark !== undefined && image.scannerMark !== mark) return false;
  if (scannedAfter !== undefined && image.scannedAt < scannedAfter) return false;
  return scannedBefore === undefined || image.scannedAt < scannedBefore;
}

function isAsAsked(asked: boolean | undefined, is: boolean): boolean {
  return asked === undefined || asked === is;
}

function isAsBad({ worst }: ImageFacts, least: (typeof severities)[number]): boolean {
  return worst !== "NONE" && severities.indexOf(worst) >= severities.indexOf(least);
}

/** Orders by time need not begin before the times that are asked for. */
function beginOf({ scannedAfter, scannedBefore }: ReportFilter, order: ReportOrder, after: Buffer): Buffer {
  let begin = after;
  if (order === "OLDEST" && scannedAfter !== undefined && scannedAfter > 0)
    begin = timePrefix("OLDEST", scannedAfter - 1);
  if (order === "NEWEST" && scannedBefore !== undefined) begin = timePrefix("NEWEST", scannedBefore);
  return Buffer.compare(begin, after) > 0 ? begin : after;
}

async function readHaving(
  { redis, shards }: QueryDeps,
  { vulnerability }: ReportFilter,
): Promise<Map<Shard, Postings> | undefined> {
  if (vulnerability === undefined) return undefined;
  const all = await shards.all(async (shard) => {
    return [shard, (await readVulnerability(redis, shard, vulnerability)).all] as const;
  });
  return new Map(all);
}

/** The images that can fit at most, when a repository or a vulnerability leaves few. */
async function lookUp(
  deps: QueryDeps,
  { repository }: ReportFilter,
  having: Map<Shard, Postings> | undefined,
): Promise<Found[] | undefined> {
  const inRepositories = repository === "" ? undefined : await numbersIn(deps, repository);
  const few = inRepositories ?? numbersHaving(having);
  if (few === undefined) return undefined;
  const found = [...few].map(async ([shard, numbers]) => {
    const wanted =
      having === undefined ? [...numbers] : [...numbers].filter((number) => having.get(shard)?.has(number));
    return (await readFacts(deps.redis, shard, wanted)).map((facts) => ({ facts, shard }));
  });
  return (await Promise.all(found)).flat();
}

/** The numbers of the images in the repositories that fit; undefined when there are many. */
export async function numbersIn(
  { redis, shards }: QueryDeps,
  repository: string,
): Promise<Map<Shard, Set<number>> | undefined> {
  const sums = await shards.all(async (shard) => [shard, await readSums(redis, shard, repository)] as const);
  const images = sums.flatMap(([, byName]) => [...byName.values()]).reduce((sum, [count = 0]) => sum + count, 0);
  if (images > mostLookedUp) return undefined;
  const numbers = sums.map(async ([shard, byName]) => {
    return [shard, new Set(await readAllNumbers(redis, shard, byName.keys()))] as const;
  });
  return new Map(await Promise.all(numbers));
}

function numbersHaving(having: Map<Shard, Postings> | undefined): Map<Shard, Iterable<number>> | undefined {
  const all = [...(having ?? [])];
  if (having === undefined || all.reduce((sum, [, { size }]) => sum + size, 0) > mostLookedUp) return undefined;
  return new Map(all.map(([shard, postings]) => [shard, postings.numbers()] as const));
}

/** The images in the order, from behind the key on. */
async function sort({ redis, shards }: QueryDeps, found: Found[], order: ReportOrder, after: Buffer): Promise<Step[]> {
  const names = new Map<Found, string>();
  if (order === "REPOSITORY") {
    await shards.all(async (shard) => {
      const own = found.filter((each) => each.shard === shard);
      const images = await readImages(
        redis,
        shard,
        own.map(({ facts }) => facts.digest),
      );
      for (const [at, each] of own.entries()) names.set(each, firstOf(Object.keys(images[at]?.locations ?? {})));
    });
  }
  return inOrder(found, order, after, (image) => names.get(image) ?? "");
}

/** The first by bytes. */
function firstOf(names: readonly string[]): string {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))[0] ?? "";
}
