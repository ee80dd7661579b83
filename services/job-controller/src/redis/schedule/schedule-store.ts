import type { Clock } from "@drydock/shared/clock.ts";
import type { Job } from "../../domain/job.ts";
import { createJobId, shardOf } from "../../domain/job-id.ts";
import type { DueSchedule, ScheduleStore } from "../../ports/schedule-store.ts";
import { toWholeJob } from "../record/job-codec.ts";
import { list, number, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { type Hold, UniqueKeys } from "../unique/unique-keys.ts";

const maxDueAtOnce = 100;

/** The periodic jobs in Redis. The jobs that one launches are in its own shard, so that both change together. */
export function createRedisScheduleStore(redis: ScriptedRedis, shards: Shards, clock: Clock): ScheduleStore {
  const keys = new UniqueKeys(shards, clock);
  const change = async (jobId: string, what: "pause" | "resume", nextAt: number): Promise<Job> => {
    const shard = shards.ofJob(jobId);
    await shard.run("schedule/pause", jobId, what, nextAt);
    return toWholeJob(await shard.run("operators/read", jobId));
  };
  return {
    async due() {
      const parts = await shards.all(async (shard) => list(await shard.run("schedule/due", maxDueAtOnce)));
      const nexts = parts.map(([next]) => number(next)).filter((next) => next > 0);
      return {
        due: parts.flatMap(([, ...due]) => due.map(toDueSchedule)),
        nextDueAt: nexts.length === 0 ? 0 : Math.min(...nexts),
        more: parts.some((part) => part.length > maxDueAtOnce),
      };
    },
    async fire({ jobId, dueAt, schedule }, { runAt, nextAt, missed }, uniqueKey = "") {
      const jitter = Math.floor(Math.random() * schedule.jitterMs);
      const wanted = runAt === 0 ? 0 : runAt + jitter;
      const run = async (id: string, hold: Hold) => {
        const settled = [id, wanted, runAt, nextAt, missed, schedule.overlap, uniqueKey, ...hold] as const;
        const done = number(await shards.ofJob(jobId).run("schedule/fire", jobId, dueAt, ...settled));
        return { id: done === 2 ? id : "", isSettled: done > 0 };
      };
      const newId = () => createJobId(clock.now(), shardOf(jobId));
      return (await keys.holding({ key: runAt === 0 ? "" : uniqueKey, request: "", newId, run })).isSettled;
    },
    pause: (jobId) => change(jobId, "pause", 0),
    resume: (jobId, nextAt) => change(jobId, "resume", nextAt),
    async list(before, limit) {
      const from = before === "" ? "+" : `(${before}`;
      const parts = shards.all(({ keys }) =>
        redis.zrange(keys.schedules, from, "-", "BYLEX", "REV", "LIMIT", 0, limit),
      );
      const ids = (await answered(parts)).flat();
      return ids.sort((a, b) => (a < b ? 1 : -1)).slice(0, limit);
    },
  };
}

function toDueSchedule(reply: unknown): DueSchedule {
  const [jobId, dueAt, schedule, name] = list(reply as Parameters<typeof list>[0]);
  return { jobId: text(jobId), name: text(name), dueAt: number(dueAt), schedule: JSON.parse(text(schedule)) };
}
