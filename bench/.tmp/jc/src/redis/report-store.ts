import type { Lease } from "../domain/job.ts";
import { shardOf } from "../domain/job-id.ts";
import type { NewReport, ReportStore } from "../ports/report-store.ts";
import { answered } from "./pool-state.ts";
import { jobNotFound } from "./reply-errors.ts";
import { type ScriptedRedis, type Shard, shardOfKey } from "./shard.ts";

/** What the report store needs. */
export interface RedisReportStoreOptions {
  redis: ScriptedRedis;
  shards: readonly Shard[];
  /** How long a report is kept, in milliseconds. */
  keepMs: number;
}

/**
 * The reports in Redis: each beside its job, and for each digest the job with its newest report in the shard that the
 * digest falls to. The report is stored first, so that the digest never leads to nothing.
 */
export function createRedisReportStore({ redis, shards, keepMs }: RedisReportStoreOptions): ReportStore {
  const keepSeconds = Math.ceil(keepMs / 1000);
  const ofJob = (jobId: string): Shard => {
    const shard = shards[shardOf(jobId)];
    if (shard === undefined) throw jobNotFound(jobId);
    return shard;
  };
  const ofDigest = (digest: string): Shard => shards[shardOfKey(digest, shards.length)] as Shard;
  const byJob = async (jobId: string): Promise<Buffer | undefined> => {
    return (await answered(redis.getBuffer(ofJob(jobId).keys.report(jobId)))) ?? undefined;
  };
  return {
    byJob,
    async put({ jobId, token }: Lease, { digest, indexDigest, gzip }: NewReport): Promise<void> {
      await ofJob(jobId).run("put-report", jobId, token, gzip, keepSeconds);
      for (const known of [digest, indexDigest].filter((text) => text !== "")) {
        await answered(redis.set(ofDigest(known).keys.newestReport(known), jobId, "EX", keepSeconds));
      }
    },
    async byDigest(digest: string): Promise<Buffer | undefined> {
      const jobId = await answered(redis.get(ofDigest(digest).keys.newestReport(digest)));
      return jobId === null ? undefined : byJob(jobId);
    },
  };
}
