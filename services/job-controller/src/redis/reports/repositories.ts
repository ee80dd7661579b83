import { fitsGlob, isGlob } from "../../domain/repository-glob.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import { ImageFacts, readLocation } from "./image-facts.ts";

const pageSize = 1_000;
const repositoriesAtOnce = 100;

/** The sums of the repositories of a shard that fit the glob, by their names. */
export async function readSums(
  redis: ScriptedRedis,
  { keys }: Shard,
  repository: string,
): Promise<Map<string, number[]>> {
  const sums = new Map<string, number[]>();
  const note = (name: string, text: string | null) => {
    if (text !== null) sums.set(name, JSON.parse(text) as number[]);
  };
  if (repository !== "" && !isGlob(repository)) {
    note(repository, await answered(redis.hget(keys.reports.totals, repository)));
    return sums;
  }
  let cursor = "0";
  do {
    const [next, found] = await answered(redis.hscan(keys.reports.totals, cursor, "COUNT", pageSize));
    for (let at = 0; at < found.length; at += 2) {
      const name = found[at] ?? "";
      if (name !== "" && fitsGlob(repository, name)) note(name, found[at + 1] ?? null);
    }
    cursor = next;
  } while (cursor !== "0");
  return sums;
}

/** The sums of all images of the shard. */
export async function readTotalSums(redis: ScriptedRedis, { keys }: Shard): Promise<number[]> {
  const text = await answered(redis.hget(keys.reports.totals, ""));
  return text === null ? [] : (JSON.parse(text) as number[]);
}

/** The numbers of the repository's images in a shard, by digest. */
export async function* readNumbers(
  redis: ScriptedRedis,
  { keys }: Shard,
  repository: string,
): AsyncGenerator<number[]> {
  let from: Buffer = Buffer.from(`[${repository}\0`);
  const end = Buffer.from(`(${repository}\x01`);
  for (;;) {
    const members = await answered(redis.zrangebylexBuffer(keys.reports.located, from, end, "LIMIT", 0, pageSize));
    if (members.length > 0) yield members.map((member) => readLocation(member).number);
    const last = members.at(-1);
    if (last === undefined || members.length < pageSize) return;
    from = Buffer.concat([Buffer.from("("), last]);
  }
}

/** The numbers of the images of several repositories in a shard: of an image of several of them as often as it is there. */
export async function readAllNumbers(
  redis: ScriptedRedis,
  shard: Shard,
  repositories: Iterable<string>,
): Promise<number[]> {
  const names = [...repositories];
  const numbers: number[] = [];
  for (let at = 0; at < names.length; at += repositoriesAtOnce) {
    const reads = names.slice(at, at + repositoriesAtOnce).map(async (name) => {
      for await (const some of readNumbers(redis, shard, name)) for (const number of some) numbers.push(number);
    });
    await Promise.all(reads);
  }
  return numbers;
}

/** The facts of the images of those numbers that are there. */
export async function readFacts(
  redis: ScriptedRedis,
  { keys }: Shard,
  numbers: readonly number[],
): Promise<ImageFacts[]> {
  const facts: ImageFacts[] = [];
  for (let at = 0; at < numbers.length; at += pageSize) {
    const some = numbers.slice(at, at + pageSize).map(String);
    for (const bytes of await answered(redis.hmgetBuffer(keys.reports.facts, ...some))) {
      if (bytes !== null) facts.push(new ImageFacts(bytes));
    }
  }
  return facts;
}
