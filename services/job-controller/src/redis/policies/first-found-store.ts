import type { FirstFoundStore } from "../../ports/policy-store.ts";
import { list, number } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

/** How many keys are asked for at once: few enough for the arguments of a command and the time of a script. */
const partSize = 500;
/** How many keys are noted. */
const maxNoted = 1_000_000;

/** When findings were first found, in Redis, in shard 0. */
export function createRedisFirstFoundStore(redis: ScriptedRedis, shards: Shards, most = maxNoted): FirstFoundStore {
  const { firstFound } = shards.first.keys;
  return {
    async times(keys) {
      const parts = await Promise.all(partsOf(keys).map((part) => answered(redis.hmget(firstFound, ...part))));
      return parts.flat().map((time) => (time === null ? undefined : Number(time)));
    },
    async note(keys, at) {
      const note = async (part: string[]) => list(await shards.first.run("policies/note-found", at, most, ...part));
      return (await Promise.all(partsOf(keys).map(note))).flat().map(number);
    },
  };
}

function partsOf(keys: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let at = 0; at < keys.length; at += partSize) parts.push(keys.slice(at, at + partSize));
  return parts;
}
