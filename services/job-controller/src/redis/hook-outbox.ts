import { shardOf } from "../domain/job-id.ts";
import type { HookEvent } from "../domain/status-hook.ts";
import type { DueHook, HookOutbox } from "../ports/hook-outbox.ts";
import { statusOf } from "./job-codec.ts";
import { list, number, text } from "./reply.ts";
import { jobNotFound } from "./reply-errors.ts";
import type { Reply, Shard } from "./shard.ts";

/** How long a delivery is nobody else's, in milliseconds: longer than a receiver and two calls of Redis may take. */
const leaseMs = 20_000;

/** What hooks are still to be told, in Redis. */
export function createRedisHookOutbox(shards: readonly Shard[]): HookOutbox {
  const shardFor = (jobId: string): Shard => {
    const shard = shards[shardOf(jobId)];
    if (shard === undefined) throw jobNotFound(jobId);
    return shard;
  };
  return {
    async due(limit) {
      const share = Math.ceil(limit / shards.length);
      const parts = await Promise.all(shards.map(async (shard) => list(await shard.run("due-hooks", share, leaseMs))));
      const nexts = parts.map(([next]) => number(next)).filter((next) => next > 0);
      return {
        due: parts.flatMap(([, ...due]) => due.map(toDueHook)),
        nextDueAt: nexts.length === 0 ? 0 : Math.min(...nexts),
        more: parts.some((part) => part.length > share),
      };
    },
    async settle({ jobId, stored, leaseEndsAt }, settlement) {
      const at = settlement.kind === "retry" ? settlement.at : 0;
      await shardFor(jobId).run("settle-hook", jobId, stored, leaseEndsAt, settlement.kind, at);
    },
    async redeliver(jobId) {
      return number(await shardFor(jobId).run("redeliver-hook", jobId));
    },
  };
}

function toDueHook(reply: Reply): DueHook {
  const [jobId, url, stored, failures, leaseEndsAt] = list(reply);
  return {
    jobId: text(jobId),
    url: text(url),
    event: toEvent(JSON.parse(text(stored))),
    failures: number(failures),
    leaseEndsAt: number(leaseEndsAt),
    stored: text(stored),
  };
}

function toEvent([sequence, status, checkIn, at]: Reply[]): HookEvent {
  return { sequence: number(sequence), status: statusOf(status), checkIn: text(checkIn), at: number(at) };
}
