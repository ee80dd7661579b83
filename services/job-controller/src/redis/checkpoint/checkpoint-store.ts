import type { HeldLease } from "../../domain/job.ts";
import type { CheckpointStore, RunState, SubJobKeys } from "../../ports/checkpoint-store.ts";
import { toTotals } from "../record/job-codec.ts";
import { list, number, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

/** About as many keys of sub-jobs are read at a time. */
const keysAtOnce = 500;

/** The checkpoints in Redis, each beside its job. */
export function createRedisCheckpointStore(redis: ScriptedRedis, shards: Shards): CheckpointStore {
  // of a job that RetryJob has brought back, the keys from before count no more (life/children.lua)
  const readLife = async (key: string) => (await answered(redis.hget(key, ""))) ?? "0";
  const isOfLife = (life: string, launched: string | null | undefined) => launched?.startsWith(`${life} `) ?? false;
  return {
    async save({ jobId, token, incarnation }: HeldLease, checkpoint: string): Promise<void> {
      await shards.ofJob(jobId).run("checkpoint/save", jobId, token, incarnation, checkpoint);
    },
    async read({ jobId, token, incarnation }: HeldLease): Promise<RunState> {
      const reply = list(await shards.ofJob(jobId).run("checkpoint/read", jobId, token, incarnation));
      const [checkpoint, totals, enqueuedAt, now] = reply;
      const times = { enqueuedAt: number(enqueuedAt), now: number(now) };
      return { checkpoint: text(checkpoint), executionTotals: toTotals(totals), ...times };
    },
    async subJobKeys({ jobId, token, incarnation }: HeldLease, from: string): Promise<SubJobKeys> {
      const shard = shards.ofJob(jobId);
      await shard.run("reports/check-lease", jobId, token, incarnation);
      const key = shard.keys.subJobKeys(jobId);
      const life = await readLife(key);
      const [next, fields] = await answered(redis.hscan(key, from === "" ? "0" : from, "COUNT", keysAtOnce));
      const keys = fields.filter((field, at) => at % 2 === 0 && field !== "" && isOfLife(life, fields[at + 1]));
      return { keys, next: next === "0" ? "" : next };
    },
    async haveLaunched(jobId: string, keys: readonly string[]): Promise<boolean[]> {
      const key = shards.ofJob(jobId).keys.subJobKeys(jobId);
      const life = await readLife(key);
      const known: boolean[] = [];
      for (let at = 0; at < keys.length; at += keysAtOnce) {
        const some = await answered(redis.hmget(key, ...keys.slice(at, at + keysAtOnce)));
        known.push(...some.map((own) => isOfLife(life, own)));
      }
      return known;
    },
  };
}
