import type { WorkerInfo, WorkerState } from "../domain/worker.ts";
import type { QueueCounts } from "../ports/job-pool.ts";
import { toReasonedError } from "./reply-errors.ts";
import type { ScriptedRedis, Shard } from "./shard.ts";

const statusFields = { "1": "scheduled", "2": "pending", "3": "running" } as const;

/** The workers with a lease, by id. Every shard knows all workers; the jobs they hold are spread over the shards. */
export async function readWorkers(redis: ScriptedRedis, shards: readonly Shard[], now: number): Promise<WorkerState[]> {
  const first = shards[0];
  if (first === undefined) return [];
  const [infos, leases] = await answered(
    Promise.all([
      redis.hgetall(first.keys.workers),
      redis.zrange(first.keys.leases, now, "+inf", "BYSCORE", "WITHSCORES"),
    ]),
  );
  const states: WorkerState[] = [];
  for (let at = 0; at < leases.length; at += 2) {
    const workerId = leases[at] ?? "";
    const info = infos[workerId];
    if (info === undefined) continue;
    const held = await answered(Promise.all(shards.map(({ keys }) => redis.hlen(keys.held(workerId)))));
    const running = held.reduce((sum, own) => sum + own, 0);
    states.push({ workerId, running, leaseEndsAt: Number(leases[at + 1]), ...parseInfo(info) });
  }
  return states.sort((a, b) => a.workerId.localeCompare(b.workerId));
}

/** How many jobs of each type stand where in one shard. */
export async function readQueues(redis: ScriptedRedis, { keys }: Shard): Promise<QueueCounts[]> {
  const counts = await answered(redis.hgetall(keys.counts));
  const queues = new Map<string, QueueCounts>();
  for (const [field, count] of Object.entries(counts)) {
    const [name = "", code = ""] = field.split(":");
    const queue = queues.get(name) ?? { name, pending: 0, running: 0, scheduled: 0 };
    const status = statusFields[code as keyof typeof statusFields];
    if (status !== undefined) queue[status] += Number(count);
    queues.set(name, queue);
  }
  return [...queues.values()];
}

/** The queues of all shards as one, by name. */
export function mergeQueues(shards: QueueCounts[][]): QueueCounts[] {
  const merged = new Map<string, QueueCounts>();
  for (const { name, pending, running, scheduled } of shards.flat()) {
    const sum = merged.get(name) ?? { name, pending: 0, running: 0, scheduled: 0 };
    merged.set(name, {
      name,
      pending: sum.pending + pending,
      running: sum.running + running,
      scheduled: sum.scheduled + scheduled,
    });
  }
  return [...merged.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The stored text is "incarnation session json". */
function parseInfo(stored: string): WorkerInfo {
  return JSON.parse(stored.slice(stored.indexOf("{")));
}

/** The answer, or the error that callers see. */
export async function answered<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw toReasonedError(error);
  }
}
