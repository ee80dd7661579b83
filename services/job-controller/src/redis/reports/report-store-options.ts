import type { Clock } from "@drydock/shared/clock.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

/** What the report store needs. */
export interface RedisReportStoreOptions {
  redis: ScriptedRedis;
  shards: Shards;
  clock: Clock;
  /** How long a report is kept, in milliseconds. */
  keepMs: number;
  /** How many reports of an image are kept. */
  reportsPerImage: number;
}
