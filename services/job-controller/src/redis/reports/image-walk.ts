import type { ReportOrder } from "../../ports/report-queries.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { behindDigest, ImageFacts, prefixBytes, readLocation } from "./image-facts.ts";
import type { Found } from "./listed-reports.ts";
import { readFacts } from "./repositories.ts";

/** An image with what it is ordered by. */
export interface Step {
  key: Buffer;
  found: Found;
}

/** How many images are read of a shard at a time. */
const stepSize = 500;
/** Greater than what stands behind the digest in a member. */
const behind = Buffer.alloc(16, 0xff);

/** Goes through the images of all shards in an order, from behind the key on. */
export async function* walk(
  redis: ScriptedRedis,
  shards: Shards,
  order: ReportOrder,
  after: Buffer,
): AsyncGenerator<Step[]> {
  const parts = [...shards].map((shard) => new Part(redis, shard, order, after));
  for (;;) {
    await Promise.all(parts.map((part) => part.fill()));
    const open = parts.filter((part) => part.steps.length > 0);
    if (open.length === 0) return;
    // up to here no part can have anything that comes before
    const horizon = open
      .filter((part) => !part.isAtEnd)
      .map((part) => part.last)
      .reduce<Buffer | undefined>((least, key) => (least && Buffer.compare(least, key) <= 0 ? least : key), undefined);
    const steps = open.flatMap((part) => part.take(horizon));
    yield open.length === 1 ? steps : steps.sort((a, b) => Buffer.compare(a.key, b.key));
  }
}

/** What was read of a shard and not yet given. */
class Part {
  readonly #redis: ScriptedRedis;
  readonly #shard: Shard;
  readonly #order: ReportOrder;
  #after: Buffer;
  steps: Step[] = [];
  isAtEnd = false;

  constructor(redis: ScriptedRedis, shard: Shard, order: ReportOrder, after: Buffer) {
    this.#redis = redis;
    this.#shard = shard;
    this.#order = order;
    this.#after = after;
  }

  get last(): Buffer {
    return this.#after;
  }

  async fill(): Promise<void> {
    while (this.steps.length === 0 && !this.isAtEnd) {
      const members = await this.#read();
      this.isAtEnd = members.length < stepSize;
      const last = members.at(-1);
      if (last === undefined) return;
      this.#after = keyOf(last, this.#order);
      this.steps = this.#order === "REPOSITORY" ? await this.#locate(members) : members.map(this.#toStep);
    }
  }

  take(horizon: Buffer | undefined): Step[] {
    const beyond = horizon === undefined ? -1 : this.steps.findIndex(({ key }) => Buffer.compare(key, horizon) > 0);
    return this.steps.splice(0, beyond === -1 ? this.steps.length : beyond);
  }

  #read(): Promise<Buffer[]> {
    const { worst, newest, oldest, epss, located } = this.#shard.keys.reports;
    const zset = { WORST: worst, NEWEST: newest, OLDEST: oldest, EPSS: epss, REPOSITORY: located }[this.#order];
    const from = this.#after.length === 0 ? "-" : Buffer.concat([Buffer.from("("), this.#after, behind]);
    return answered(this.#redis.zrangebylexBuffer(zset, from, "+", "LIMIT", 0, stepSize));
  }

  #toStep = (member: Buffer): Step => {
    const begin = prefixBytes(this.#order as "WORST");
    return { key: keyOf(member, this.#order), found: { facts: new ImageFacts(member, begin), shard: this.#shard } };
  };

  async #locate(members: readonly Buffer[]): Promise<Step[]> {
    const numbers = [...new Set(members.map((member) => readLocation(member).number))];
    const facts = await readFacts(this.#redis, this.#shard, numbers);
    const known = new Map(facts.map((each) => [each.number, each]));
    return members.flatMap((member) => {
      const own = known.get(readLocation(member).number);
      return own === undefined ? [] : [{ key: keyOf(member, "REPOSITORY"), found: { facts: own, shard: this.#shard } }];
    });
  }
}

/** The member up to its digest. */
function keyOf(member: Buffer, order: ReportOrder): Buffer {
  return member.subarray(0, order === "REPOSITORY" ? -4 : -behindDigest);
}

/** The images in an order, from behind the key on. @param nameOf the first repository of an image */
export function inOrder(
  images: readonly Found[],
  order: ReportOrder,
  after: Buffer,
  nameOf: (image: Found) => string,
): Step[] {
  const keyIn = (found: Found) =>
    order === "REPOSITORY"
      ? Buffer.concat([Buffer.from(`${nameOf(found)}\0`), found.facts.packedDigest])
      : found.facts.sortKey(order);
  return images
    .map((found) => ({ key: keyIn(found), found }))
    .filter(({ key }) => Buffer.compare(key, after) > 0)
    .sort((a, b) => Buffer.compare(a.key, b.key));
}
