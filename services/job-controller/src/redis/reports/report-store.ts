import type { HeldLease } from "../../domain/job.ts";
import type { KnownReport, NewReport, ReportStore } from "../../ports/report-store.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

const pieceBytes = 256 * 1024;

/** What the report store needs. */
export interface RedisReportStoreOptions {
  redis: ScriptedRedis;
  shards: Shards;
  /** How long a report is kept, in milliseconds. */
  keepMs: number;
}

/**
 * The reports in Redis: each beside its job, and for each digest the job with its newest report in the shard that the
 * digest falls to. The report is stored first, so that the digest never leads to nothing.
 */
export function createRedisReportStore({ redis, shards, keepMs }: RedisReportStoreOptions): ReportStore {
  const keepSeconds = Math.ceil(keepMs / 1000);
  const newestOf = async (digest: string): Promise<KnownReport[]> => {
    const jobId = await answered(redis.get(shards.ofKey(digest).keys.newestReport(digest)));
    return jobId === null ? [] : [{ ...named(jobId), digest }];
  };
  return {
    async read(jobId: string): Promise<AsyncIterable<Buffer> | undefined> {
      const key = shards.ofJob(jobId).keys.report(jobId);
      const size = await answered(redis.strlen(key));
      return size === 0 ? undefined : readPieces(redis, key, size);
    },
    ofJob: async (jobId) =>
      (await answered(redis.exists(shards.ofJob(jobId).keys.report(jobId)))) ? [named(jobId)] : [],
    newestOf,
    newestOfTag: async () => [],
    recordImages: (images) => Promise.all(images.map(({ digest }) => newestOf(digest))),
    tidy: async () => false,
    async checkLease({ jobId, token, incarnation }: HeldLease): Promise<void> {
      await shards.ofJob(jobId).run("reports/check-lease", jobId, token, incarnation);
    },
    async put(
      { jobId, token, incarnation }: HeldLease,
      { entry: { digest, indexDigest }, gzip }: NewReport,
    ): Promise<void> {
      await shards.ofJob(jobId).run("reports/put", jobId, token, incarnation, gzip, keepSeconds);
      for (const known of [digest, indexDigest].filter((text) => text !== "")) {
        await answered(redis.set(shards.ofKey(known).keys.newestReport(known), jobId, "EX", keepSeconds));
      }
    },
  };
}

function named(reportId: string): KnownReport {
  const unknown = { scanner: "", scannerState: "", scannedAt: 0, coverage: "UNSUPPORTED" } as const;
  return { reportId, digest: "", platform: "", ...unknown };
}

/** A piece at a time: a slow reader of a large report must not keep all of it in memory. */
async function* readPieces(redis: ScriptedRedis, key: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += pieceBytes) {
    yield await answered(redis.getrangeBuffer(key, at, Math.min(at + pieceBytes, size) - 1));
  }
}
