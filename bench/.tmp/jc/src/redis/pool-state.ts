import type { WorkerInfo, WorkerState } from "../domain/worker.ts";
import { toReasonedError } from "./reply-errors.ts";
import type { ScriptedRedis, Shard } from "./shard.ts";

const mostJobIds = 100;

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
    const held = (await answered(Promise.all(shards.map(({ keys }) => redis.hkeys(keys.held(workerId)))))).flat();
    const jobIds = held.slice(0, mostJobIds);
    states.push({ workerId, running: held.length, jobIds, leaseEndsAt: Number(leases[at + 1]), ...parseInfo(info) });
  }
  return states.sort((a, b) => a.workerId.localeCompare(b.workerId));
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
