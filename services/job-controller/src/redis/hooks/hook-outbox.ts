import { type HookEvent, hookStatuses } from "../../domain/status-hook.ts";
import type { DueHook, FailedHook, HookOutbox } from "../../ports/hook-outbox.ts";
import { statusOf } from "../record/job-codec.ts";
import { fault, list, number, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { Reply, ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

const maxCauseLength = 64;

/** How long a delivery is nobody else's, in milliseconds: longer than a receiver and two calls of Redis may take. */
const leaseMs = 20_000;

/** What hooks are still to be told, in Redis. */
export function createRedisHookOutbox(redis: ScriptedRedis, shards: Shards): HookOutbox {
  let isNewestFirst = false;
  return {
    async due(limit) {
      const share = Math.ceil(limit / shards.count);
      const order = isNewestFirst ? 1 : 0;
      isNewestFirst = !isNewestFirst;
      const parts = await shards.all(async (shard) => list(await shard.run("hooks/due", share, leaseMs, order)));
      const nexts = parts.map(([next]) => number(next)).filter((next) => next > 0);
      return {
        due: parts.flatMap(([, ...due]) => due.map(toDueHook)),
        nextDueAt: nexts.length === 0 ? 0 : Math.min(...nexts),
        more: parts.some((part) => part.length > share),
      };
    },
    async settle({ jobId, stored, leaseEndsAt }, settlement, cause) {
      const at = settlement.kind === "retry" ? settlement.at : 0;
      const why = cause.slice(0, maxCauseLength);
      await shards.ofJob(jobId).run("hooks/settle", jobId, stored, leaseEndsAt, settlement.kind, at, why);
    },
    async redeliver(jobId) {
      return number(await shards.ofJob(jobId).run("hooks/redeliver", jobId, leaseMs));
    },
    async failed(before, limit) {
      const parts = await shards.all(async (shard) =>
        list(await shard.run("hooks/failed", before, limit)).map(toFailedHook),
      );
      const newestFirst = parts.flat().sort((a, b) => (a.jobId < b.jobId ? 1 : -1));
      return newestFirst.slice(0, limit);
    },
    async counts() {
      const count = async (key: "hookDue" | "hookFailing") => {
        const counts = await answered(shards.all(({ keys }) => redis.zcard(keys[key])));
        return counts.reduce((sum, own) => sum + own, 0);
      };
      return { waiting: await count("hookDue"), failing: await count("hookFailing") };
    },
  };
}

function toFailedHook(reply: Reply): FailedHook {
  const [jobId, name, status, hookStatus, events, cause] = list(reply);
  const [causeAt = "", ...words] = text(cause).split(" ");
  return {
    jobId: text(jobId),
    name: text(name),
    status: statusOf(status),
    hookStatus: hookStatuses[number(hookStatus)] ?? fault("hook status", hookStatus),
    events: number(events),
    cause: words.join(" "),
    causeAt: Number(causeAt),
  };
}

function toDueHook(reply: Reply): DueHook {
  const [jobId, url, stored, failures, leaseEndsAt, redeliveredAt] = list(reply);
  const event = toEvent(JSON.parse(text(stored)));
  return {
    jobId: text(jobId),
    url: text(url),
    event: { ...event, at: Math.max(event.at, number(redeliveredAt)) },
    failures: number(failures),
    leaseEndsAt: number(leaseEndsAt),
    stored: text(stored),
  };
}

function toEvent([sequence, status, checkIn, at]: Reply[]): HookEvent {
  return { sequence: number(sequence), status: statusOf(status), checkIn: text(checkIn), at: number(at) };
}
