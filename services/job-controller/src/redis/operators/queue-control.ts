import type { Clock } from "@drydock/shared/clock.ts";
import { z } from "zod";
import type { DrainReport, OutOfPatience, QueueControl, QueueRate, QueueState } from "../../ports/queue-control.ts";
import { list, number, text } from "../shards/reply.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { isCursorOf } from "./cursor.ts";

const minuteMs = 60_000;
const statusFields = { "1": "scheduled", "2": "pending", "3": "running" } as const;

/** The queues in Redis; each shard has its part of each. */
export function createRedisQueueControl(redis: ScriptedRedis, shards: Shards, clock: Clock): QueueControl {
  return {
    async queues(): Promise<QueueState[]> {
      const parts = (await shards.all((shard) => readQueues(redis, shard))).flat();
      const merged = new Map<string, QueueState>();
      for (const part of parts) merged.set(part.name, merge(merged.get(part.name), part));
      return [...merged.values()].sort((a, b) => a.name.localeCompare(b.name));
    },
    rates: () => readRates(redis, shards, clock.now()),
    async paused(): Promise<Set<string>> {
      const parts = await answered(shards.all(({ keys }) => redis.smembers(keys.paused)));
      return new Set(parts.flat());
    },
    async pause(name: string, pauses: boolean): Promise<boolean> {
      const changed = await shards.all((shard) => shard.run("operators/pause-queue", name, pauses ? 1 : 0));
      return changed.some((count) => count === 1);
    },
    isDrainCursor: (text) => isCursorOf(drainCursorOf(shards.count), text),
    drain: (name, from, limit) => drain(redis, shards, { name, from, limit }),
    async expire(name, why, signal): Promise<number> {
      return (await shards.all((shard) => expire(shard, name, why, signal))).reduce((sum, own) => sum + own, 0);
    },
  };
}

/** One script call's share, so that Redis stays free for others. */
const endedAtOnce = 200;

/** The position from which a drain goes on. */
interface DrainCursor {
  /** By shard: the newest job when the drain began, as the index counts them. */
  newest: string[];
  shard: number;
  /** Behind that score and lane. */
  behind: [score: string, lane: string];
}

const firstLane: DrainCursor["behind"] = ["-inf", ""];

function drainCursorOf(shards: number): z.ZodType<DrainCursor> {
  return z.strictObject({
    newest: z.array(z.string().regex(/^\d{1,15}-\d{1,15}$/)).length(shards),
    shard: z.int().min(0).lt(shards),
    behind: z.tuple([z.string().regex(/^(-inf|\d{1,20}(\.\d{1,20})?(e\+\d{1,2})?)$/), z.string().max(256)]),
  });
}

async function drain(
  redis: ScriptedRedis,
  shards: Shards,
  { name, from, limit }: { name: string; from: string; limit: number },
): Promise<DrainReport> {
  const cursor: DrainCursor = from === "" ? await beginDrain(redis, shards) : JSON.parse(from);
  let [stopped, left] = [0, limit];
  while (left > 0 && cursor.shard < shards.count) {
    const shard = shards.at(cursor.shard);
    const args = [cursor.newest[cursor.shard] ?? "0-0", ...cursor.behind, Math.min(left, endedAtOnce)] as const;
    const [count, steps, score, lane] = list(await shard.run("operators/drain-queue", name, ...args));
    stopped += number(count);
    left -= number(steps);
    if (score === undefined) cursor.shard++;
    cursor.behind = score === undefined ? firstLane : [text(score), text(lane)];
  }
  return { stopped, next: cursor.shard < shards.count ? JSON.stringify(cursor) : "" };
}

async function beginDrain(redis: ScriptedRedis, shards: Shards): Promise<DrainCursor> {
  const newest = shards.all(({ keys }) => redis.xrevrange(keys.index, "+", "-", "COUNT", 1));
  const entries = await answered(newest);
  return { newest: entries.map(([entry]) => entry?.[0] ?? "0-0"), shard: 0, behind: firstLane };
}

async function expire(shard: Shard, name: string, why: OutOfPatience, signal: AbortSignal): Promise<number> {
  const cause = [name, why.before, why.reason, why.message] as const;
  let [expired, behind] = [0, firstLane];
  while (!signal.aborted) {
    const reply = list(await shard.run("transitions/expire-closed", ...cause, ...behind, endedAtOnce));
    const [count, , score, lane] = reply;
    expired += number(count);
    if (score === undefined) break;
    behind = [text(score), text(lane)];
  }
  return expired;
}

/** The present minute and the one before. */
async function readRates(redis: ScriptedRedis, shards: Shards, now: number): Promise<Map<string, QueueRate>> {
  const minute = Math.floor(now / minuteMs);
  const minutes = 1 + (now - minute * minuteMs) / minuteMs;
  const keys = [...shards].flatMap((shard) => [shard.keys.rates(minute - 1), shard.keys.rates(minute)]);
  const rates = new Map<string, QueueRate>();
  for (const counts of await answered(Promise.all(keys.map((key) => redis.hgetall(key))))) {
    for (const [field, count] of Object.entries(counts)) {
      const [name = "", what] = field.split(":");
      const rate = rates.get(name) ?? { launchedPerMinute: 0, endedPerMinute: 0 };
      rate[what === "launched" ? "launchedPerMinute" : "endedPerMinute"] += Number(count) / minutes;
      rates.set(name, rate);
    }
  }
  return rates;
}

async function readQueues(redis: ScriptedRedis, shard: Shard): Promise<QueueState[]> {
  const counts = await answered(redis.hgetall(shard.keys.counts));
  const queues = new Map<string, QueueState>();
  for (const [field, count] of Object.entries(counts)) {
    const [name = "", code = ""] = field.split(":");
    const queue = queues.get(name) ?? emptyQueue(name);
    const status = statusFields[code as keyof typeof statusFields];
    if (status !== undefined) queue[status] += Number(count);
    queues.set(name, queue);
  }
  return Promise.all([...queues.values()].map((queue) => withState(shard, queue)));
}

async function withState(shard: Shard, queue: QueueState): Promise<QueueState> {
  const [oldestAt, paused, lanes] = list(await shard.run("operators/queue-state", queue.name)).map(number);
  return { ...queue, oldestAt: oldestAt ?? 0, paused: paused === 1, lanes: lanes ?? 0 };
}

/** A queue without jobs. */
function emptyQueue(name: string): QueueState {
  return { name, pending: 0, running: 0, scheduled: 0, paused: false, oldestAt: 0, lanes: 0 };
}

function merge(a: QueueState | undefined, b: QueueState): QueueState {
  if (a === undefined) return b;
  return {
    name: a.name,
    pending: a.pending + b.pending,
    running: a.running + b.running,
    scheduled: a.scheduled + b.scheduled,
    paused: a.paused || b.paused,
    oldestAt: a.oldestAt === 0 || (b.oldestAt > 0 && b.oldestAt < a.oldestAt) ? b.oldestAt : a.oldestAt,
    lanes: a.lanes + b.lanes,
  };
}
