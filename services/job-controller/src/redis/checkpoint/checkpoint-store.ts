import type { HeldLease } from "../../domain/job.ts";
import type { CheckpointStore, RunState } from "../../ports/checkpoint-store.ts";
import { toTotals } from "../record/job-codec.ts";
import { list, number, text } from "../shards/reply.ts";
import type { Shards } from "../shards/shards.ts";

/** The checkpoints in Redis, each beside its job. */
export function createRedisCheckpointStore(shards: Shards): CheckpointStore {
  return {
    async save({ jobId, token, incarnation }: HeldLease, checkpoint: string): Promise<void> {
      await shards.ofJob(jobId).run("checkpoint/save", jobId, token, incarnation, checkpoint);
    },
    async read({ jobId, token, incarnation }: HeldLease): Promise<RunState> {
      const reply = list(await shards.ofJob(jobId).run("checkpoint/read", jobId, token, incarnation));
      const [checkpoint, totals, enqueuedAt] = reply;
      return { checkpoint: text(checkpoint), executionTotals: toTotals(totals), enqueuedAt: number(enqueuedAt) };
    },
  };
}
