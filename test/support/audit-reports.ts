import type { ReportEntry } from "@drydock/job-controller/domain/report-entry.ts";
import { keysOf } from "@drydock/job-controller/redis/keys.ts";
import { behindDigest, ImageFacts } from "@drydock/job-controller/redis/reports/image-facts.ts";
import type { ImageState } from "@drydock/job-controller/redis/reports/image-state.ts";
import type { ReportKeys } from "@drydock/job-controller/redis/reports/keys.ts";
import { Postings } from "@drydock/job-controller/redis/reports/postings.ts";
import { layerBucket } from "@drydock/job-controller/redis/reports/terms.ts";
import { addSums, noSums, sumsOf } from "@drydock/job-controller/redis/reports/totals.ts";
import type { ScriptedRedis } from "@drydock/job-controller/redis/shards/shard.ts";

/** An image that has a report. */
interface Indexed {
  digest: string;
  number: number;
  image: ImageState;
  facts: Buffer;
  entry: ReportEntry | undefined;
}

interface Audited {
  redis: ScriptedRedis;
  prefix: string;
  keys: ReportKeys;
  images: readonly Indexed[];
}

type Part = (audited: Audited) => Promise<string[]>;

/** What is wrong with the report indexes of a shard; nothing is said of images that are just being indexed. */
export async function auditReports(redis: ScriptedRedis, shard: number): Promise<string[]> {
  const { jobs, reports: keys } = keysOf(shard);
  const prefix = jobs.slice(0, -"jobs".length);
  const all = Object.entries(await redis.hgetall(keys.images));
  const states = all.map(([digest, text]) => [digest, JSON.parse(text) as ImageState] as const);
  if (states.some(([, { number, sums }]) => number !== undefined && sums === undefined)) return [];
  const images = states.flatMap(([digest, image]) =>
    image.number === undefined ? [] : [read(redis, keys, { digest, image, number: image.number })],
  );
  const audited = { redis, prefix, keys, images: await Promise.all(images) };
  const parts = [entries, orders, locations, beyond, numbers, terms, layers, totals, ages];
  return (await Promise.all(parts.map((part) => part(audited)))).flat();
}

async function read(
  redis: ScriptedRedis,
  keys: ReportKeys,
  image: Pick<Indexed, "digest" | "image" | "number">,
): Promise<Indexed> {
  const field = String(image.number);
  const [facts, text] = await Promise.all([redis.hgetBuffer(keys.facts, field), redis.hget(keys.entries, field)]);
  return { ...image, facts: facts ?? Buffer.alloc(25), entry: text === null ? undefined : JSON.parse(text) };
}

/** Each image has the entry of its newest report, and facts that agrees with it. */
const entries: Part = async ({ redis, keys, images }) => {
  const faults = images.flatMap(({ digest, number, image, facts, entry }) => {
    if (entry === undefined) return [`${digest} has no entry`];
    const { counts, coverage, scannedAt } = compareFacts(facts, entry);
    const rights = [
      ["the digest of its entry", entry.digest === digest],
      ["the report of its entry", entry.reportId === image.reports?.[0]?.id],
      ["the digest of its facts", new ImageFacts(facts).digest === digest],
      ["the number of its facts", new ImageFacts(facts).number === number],
      ["the facts of its facts", counts && coverage && scannedAt],
      ["its sums", JSON.stringify(image.sums) === JSON.stringify(sumsOf(entry))],
      ["the order of its reports", isSorted(image.reports?.map(({ scanned }) => -scanned) ?? [])],
    ] as const;
    return rights.filter(([, isRight]) => !isRight).map(([what]) => `${digest}: ${what} is wrong`);
  });
  const fields = images.map(({ number }) => String(number));
  return [
    ...faults,
    ...differ("an entry", fields, await redis.hkeys(keys.entries)),
    ...differ("facts", fields, await redis.hkeys(keys.facts)),
  ];
};

function compareFacts(facts: Buffer, entry: ReportEntry) {
  const { fixable, coverage, scannedAt } = new ImageFacts(facts);
  return {
    counts: fixable === entry.counts.fixable > 0,
    coverage: coverage === entry.coverage,
    scannedAt: scannedAt === Math.max(0, entry.scannedAt),
  };
}

/** Each image stands once in each order. */
const orders: Part = async ({ redis, keys, images }) => {
  const faults: string[] = [];
  for (const [order, key] of [
    ["WORST", keys.worst],
    ["NEWEST", keys.newest],
    ["OLDEST", keys.oldest],
    ["EPSS", keys.epss],
  ] as const) {
    const expected = images.map(({ facts }) =>
      Buffer.concat([new ImageFacts(facts).sortKey(order), facts.subarray(-behindDigest)]),
    );
    const members = await redis.zrangeBuffer(key, "0", "-1");
    faults.push(...differ(`an image in the order ${order}`, hexes(expected), hexes(members)));
  }
  return faults;
};

/** Each image stands under each of its repositories. */
const locations: Part = async ({ redis, keys, images }) => {
  const expected = images.flatMap(({ image, facts }) =>
    Object.keys(image.locations).map((name) =>
      Buffer.concat([Buffer.from(`${name}\0`), facts.subarray(10, 4 - behindDigest)]),
    ),
  );
  return differ("a location", hexes(expected), hexes(await redis.zrangeBuffer(keys.located, "0", "-1")));
};

/** Those images are marked that are in more repositories than are listed. */
const beyond: Part = async ({ redis, keys, images }) => {
  const are = await Promise.all(images.map(({ digest }) => redis.exists(keys.locationsBeyond(digest))));
  const expected = images.filter((_, at) => are[at] === 1).map(({ number }) => String(number));
  const marked = [...(await postingsOf(redis, keys.beyond))].map(String);
  return differ("an image of repositories that are not listed", expected, marked);
};

/** No number is of two images, or free and of one. */
const numbers: Part = async ({ redis, prefix, images }) => {
  const all = images.map(({ number }) => number);
  const faults = all.filter((number, at) => all.indexOf(number) !== at).map((number) => `${number} is of two images`);
  for (const key of await redis.keys(`${prefix}image-free:*`)) {
    const block = Number(key.split(":").at(-1));
    const free = (await redis.lrange(key, 0, -1)).map((place) => 65_536 * block + Number(place));
    faults.push(...free.filter((number) => all.includes(number)).map((number) => `${number} is free and of an image`));
  }
  return faults;
};

/** An image has a term exactly when the term has the image, and each term is found by its vulnerability. */
const terms: Part = async ({ redis, prefix, keys, images }) => {
  const [listed, posted] = [new Set<string>(), new Set<string>()];
  const known = new Set(images.map(({ number }) => String(number)));
  for (const [number, packed] of Object.entries(await redis.hgetallBuffer(keys.imageTerms))) {
    if (!known.has(number)) listed.add(`${number} is no image, which`);
    for (let at = 0; at < packed.length; at += 4) listed.add(`${number} has ${packed.readUInt32BE(at)}`);
  }
  for (const key of await redis.keys(`${prefix}found:*`)) {
    const term = key.split(":").at(-1);
    for (const number of await postingsOf(redis, key)) posted.add(`${number} has ${term}`);
  }
  const named = Object.entries(await redis.hgetall(keys.terms)).map(([term, text]) => `${term} is ${text}`);
  const found: string[] = [];
  for (const key of await redis.keys(`${prefix}vulnerability:*`)) {
    const name = key.slice(`${prefix}vulnerability:`.length);
    for (const [rest, term] of Object.entries(await redis.hgetall(key))) found.push(`${term} is ${name}\0${rest}`);
  }
  const used = [...new Set([...listed].map((text) => text.split(" has ")[1] ?? ""))].sort();
  return [
    ...differ("a posting", [...listed], [...posted]),
    ...differ("a term", named, found),
    ...differ("a term that an image has", used, Object.keys(await redis.hgetall(keys.terms))),
  ];
};

/** An image has a layer exactly when the layer has the image. */
const layers: Part = async ({ redis, prefix }) => {
  const [listed, posted] = [[] as string[], [] as string[]];
  for (const [number, hashes] of Object.entries(await redis.hgetallBuffer(`${prefix}image-layers`))) {
    for (let at = 0; at < hashes.length; at += 8) {
      const hash = hashes.subarray(at, at + 8);
      listed.push(`${number} has ${hash.toString("hex")} in ${layerBucket(hash)}`);
    }
  }
  for (const key of await redis.keys(`${prefix}layers:*`)) {
    for (const field of await redis.hkeysBuffer(key)) {
      const postings = new Postings();
      const [hash, block] = [field.subarray(0, 8), Number(field.subarray(8))];
      postings.add(block, (await redis.hgetBuffer(key, field)) ?? Buffer.alloc(0));
      for (const number of postings.numbers()) {
        posted.push(`${number} has ${hash.toString("hex")} in ${key.split(":").at(-1)}`);
      }
    }
  }
  return differ("a posting of a layer", listed, posted);
};

/** Totals are what a count gives. */
const totals: Part = async ({ redis, keys, images }) => {
  const counted = new Map<string, number[]>();
  for (const { image } of images) {
    for (const name of ["", ...Object.keys(image.locations)]) {
      const sums = counted.get(name) ?? noSums();
      addSums(sums, image.sums ?? []);
      counted.set(name, sums);
    }
  }
  const toText = ([name, sums]: readonly [string, string]) => `${name} ${sums}`;
  const expected = [...counted].map(([name, sums]) => toText([name, JSON.stringify(sums)]));
  return differ("the totals of a repository", expected, Object.entries(await redis.hgetall(keys.totals)).map(toText));
};

/** The age of an image is that of its oldest report. */
const ages: Part = async ({ redis, keys, images }) => {
  const expected = images.map(({ number, image: { reports = [] } }) => {
    return `${number} ${Math.min(...reports.map(({ stored }) => stored))}`;
  });
  const scored = await redis.zrange(keys.stored, "0", "-1", "WITHSCORES");
  const found = scored.flatMap((number, at) => (at % 2 === 0 ? [`${number} ${scored[at + 1]}`] : []));
  return differ("the age of an image", expected, found);
};

async function postingsOf(redis: ScriptedRedis, key: string): Promise<Iterable<number>> {
  const postings = new Postings();
  for (const [block, packed] of Object.entries(await redis.hgetallBuffer(key))) postings.add(Number(block), packed);
  return postings.numbers();
}

function differ(what: string, expected: readonly string[], found: readonly string[]): string[] {
  return [
    ...expected.filter((one) => !found.includes(one)).map((one) => `${what} is missing: ${one}`),
    ...found.filter((one) => !expected.includes(one)).map((one) => `${what} is there that should not be: ${one}`),
    ...(new Set(found).size === found.length ? [] : [`${what} is there twice`]),
  ];
}

function hexes(buffers: readonly Buffer[]): string[] {
  return buffers.map((buffer) => buffer.toString("hex"));
}

function isSorted(values: readonly number[]): boolean {
  return values.every((value, at) => at === 0 || value >= (values[at - 1] ?? value));
}
