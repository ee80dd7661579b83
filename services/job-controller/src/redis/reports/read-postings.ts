import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import { blockCount, Postings } from "./postings.ts";
import { layerBucket, layerHash, plain } from "./terms.ts";

/** How many hashes are read at a time. */
const readAtOnce = 200;

/** The images that have a vulnerability, in all and by term. */
export interface FoundTerms {
  all: Postings;
  /** What stands behind the vulnerability in the term. */
  terms: Array<{ rest: string; postings: Postings }>;
}

/** Reads which images of the shard have the vulnerability. */
export async function readVulnerability(redis: ScriptedRedis, { keys }: Shard, name: string): Promise<FoundTerms> {
  const known = Object.entries(await answered(redis.hgetall(keys.reports.vulnerability(plain(name)))));
  const found: FoundTerms = { all: new Postings(), terms: [] };
  for (let at = 0; at < known.length; at += readAtOnce) {
    await Promise.all(
      known.slice(at, at + readAtOnce).map(async ([rest, term]) => {
        const postings = new Postings();
        const blocks = await answered(redis.hgetallBuffer(keys.reports.found(Number(term))));
        for (const [block, packed] of Object.entries(blocks)) {
          postings.add(Number(block), packed);
          found.all.add(Number(block), packed);
        }
        found.terms.push({ rest, postings });
      }),
    );
  }
  return found;
}

/** Reads which images of the shard are in more repositories than are listed. */
export async function readBeyond(redis: ScriptedRedis, { keys }: Shard): Promise<Postings> {
  const postings = new Postings();
  const blocks = await answered(redis.hgetallBuffer(keys.reports.beyond));
  for (const [block, packed] of Object.entries(blocks)) postings.add(Number(block), packed);
  return postings;
}

/** Reads which images of the shard have one of the layers. */
export async function readLayers(redis: ScriptedRedis, { keys }: Shard, names: readonly string[]): Promise<Postings> {
  const postings = new Postings();
  for (const name of new Set(names)) {
    const hash = layerHash(name);
    const fields = Array.from({ length: blockCount }, (_, block) => Buffer.concat([hash, Buffer.from(String(block))]));
    const blocks = await answered(redis.hmgetBuffer(keys.reports.layers(layerBucket(hash)), ...fields));
    for (const [block, packed] of blocks.entries()) if (packed !== null) postings.add(block, packed);
  }
  return postings;
}
