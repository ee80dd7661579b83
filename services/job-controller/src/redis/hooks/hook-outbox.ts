import { type HookEvent, hookStatuses, hostOf, maxInFlightPerHost } from "../../domain/status-hook.ts";
import type { DueHook, FailedHook, HookOutbox } from "../../ports/hook-outbox.ts";
import type { ShardKeys } from "../keys.ts";
import { statusOf } from "../record/job-codec.ts";
import type { Reply } from "../shards/reply.ts";
import { fault, list, number, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

const maxCauseLength = 64;

/** How many records of jobs, of up to 300 KiB, one call of Redis reads for the list of failed hooks. */
const failedAtOnce = 16;

/** Length of a delivery's lease, in milliseconds: longer than an answer and two calls of Redis may take. */
const leaseMs = 20_000;

/** The events that status hooks have not been sent yet, in Redis. */
export function createRedisHookOutbox(redis: ScriptedRedis, shards: Shards): HookOutbox {
  let rounds = 0;
  return {
    async due(limit, slowLimit = limit) {
      const [share, slowShare, hostShare] = [limit, slowLimit, maxInFlightPerHost].map((of) =>
        Math.ceil(of / shards.count),
      );
      const [newHostsFirst, newestFirst] = [(rounds >> 1) & 1, rounds & 1];
      rounds++;
      const limits = [share ?? 0, slowShare ?? 0, hostShare ?? 0] as const;
      const parts = await shards.all(async (shard) =>
        list(await shard.run("hooks/due", ...limits, leaseMs, newHostsFirst, newestFirst)),
      );
      const nexts = parts.map(([next]) => number(next)).filter((next) => next > 0);
      return {
        due: parts.flatMap(([, ...due]) => due.map(toDueHook)),
        nextDueAt: nexts.length === 0 ? 0 : Math.min(...nexts),
      };
    },
    async settle({ jobId, stored, leaseEndsAt }, settlement, cause, isSlow = false) {
      const at = settlement.kind === "retry" ? settlement.at : 0;
      const outcome = [settlement.kind, at, cause.slice(0, maxCauseLength), isSlow ? "slow" : "quick"] as const;
      await shards.ofJob(jobId).run("hooks/settle", jobId, stored, leaseEndsAt, ...outcome);
    },
    async redeliver(jobId) {
      return number(await shards.ofJob(jobId).run("hooks/redeliver", jobId));
    },
    async failed(before, limit) {
      const parts = await shards.all((shard) => readFailed(shard, before, limit));
      const newestFirst = parts.flat().sort((a, b) => (a.jobId < b.jobId ? 1 : -1));
      return newestFirst.slice(0, limit);
    },
    async counts() {
      const sum = async (count: (keys: ShardKeys) => Promise<string | number | null>) => {
        const counts = await answered(shards.all(({ keys }) => count(keys)));
        return counts.reduce<number>((total, own) => total + Number(own), 0);
      };
      return {
        waiting: await sum((keys) => redis.get(keys.hookWaiting)),
        retrying: await sum((keys) => redis.hlen(keys.hookTries)),
        failing: await sum((keys) => redis.zcard(keys.hookFailing)),
      };
    },
  };
}

/** The newest failed hooks of a shard. */
async function readFailed(shard: Shard, before: string, limit: number): Promise<FailedHook[]> {
  const found: FailedHook[] = [];
  for (let behind = before; found.length < limit; ) {
    const [seen, ...hooks] = list(await shard.run("hooks/failed", behind, failedAtOnce));
    found.push(...hooks.map(toFailedHook));
    behind = text(seen);
    if (behind === "") break;
  }
  return found;
}

function toFailedHook(reply: Reply): FailedHook {
  const [jobId, name, status, hookStatus, url, events, cause, tries, nextTryAt] = list(reply);
  const [causeAt = "", ...words] = text(cause).split(" ");
  return {
    jobId: text(jobId),
    name: text(name),
    status: statusOf(status),
    hookStatus: hookStatuses[number(hookStatus)] ?? fault("hook status", hookStatus),
    host: hostOf(text(url)),
    events: number(events),
    tries: number(tries),
    nextTryAt: number(nextTryAt),
    cause: words.join(" "),
    causeAt: Number(causeAt),
  };
}

function toDueHook(reply: Reply): DueHook {
  const [jobId, url, stored, failures, leaseEndsAt, redeliveredAt, isSlow] = list(reply);
  const event = toEvent(JSON.parse(text(stored)));
  return {
    jobId: text(jobId),
    url: text(url),
    event: { ...event, at: Math.max(event.at, number(redeliveredAt)) },
    failures: number(failures),
    leaseEndsAt: number(leaseEndsAt),
    stored: text(stored),
    isHostSlow: number(isSlow) === 1,
  };
}

function toEvent([sequence, status, checkIn, at]: Reply[]): HookEvent {
  return { sequence: number(sequence), status: statusOf(status), checkIn: text(checkIn), at: number(at) };
}
