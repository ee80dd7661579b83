import type { RegisteredJobType } from "../../domain/job-type.ts";
import type { JobTypeStore } from "../../ports/job-type-store.ts";
import { keysOf } from "../keys.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";

/** The job types in Redis, in shard 0. */
export function createRedisJobTypeStore(redis: ScriptedRedis): JobTypeStore {
  const { types: key, signals } = keysOf(0);
  return {
    async put(types: RegisteredJobType[]): Promise<void> {
      if (types.length === 0) return;
      const entries = types.flatMap((type) => [type.name, JSON.stringify(type)]);
      await answered(
        redis
          .multi()
          .hset(key, ...entries)
          .publish(signals, "types")
          .exec(),
      );
    },
    async all(): Promise<RegisteredJobType[]> {
      const stored = await answered(redis.hgetall(key));
      return Object.values(stored).map(toType);
    },
    async find(name: string): Promise<RegisteredJobType | undefined> {
      const stored = await answered(redis.hget(key, name));
      return stored === null ? undefined : toType(stored);
    },
  };
}

function toType(json: string): RegisteredJobType {
  return { version: "", isSingleton: false, ...JSON.parse(json) };
}
