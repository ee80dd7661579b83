import type { TypeCapacity, WorkerInfo, WorkerState } from "../../domain/worker.ts";
import { answered } from "../shards/reply-errors.ts";
import type { ScriptedRedis } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";

const maxJobIds = 100;

/** Which workers are asked for: those behind `after`, at most `limit`. */
interface WorkerPart {
  now: number;
  after: string;
  limit: number;
}

/** The workers with a lease, by id. Every shard knows all workers; the jobs they hold are spread over the shards. */
export async function readWorkers(
  redis: ScriptedRedis,
  shards: Shards,
  { now, after, limit }: WorkerPart,
): Promise<WorkerState[]> {
  const all = (await readInfos(redis, shards, now)).filter(({ workerId }) => workerId > after);
  const part = all.sort((a, b) => (a.workerId < b.workerId ? -1 : 1)).slice(0, limit);
  const states = part.map(async ({ workerId, leaseEndsAt, info }) => {
    const held = (await shards.all(({ keys }) => redis.hkeys(keys.held(workerId)))).flat();
    return { workerId, running: held.length, jobIds: held.slice(0, maxJobIds), leaseEndsAt, ...info };
  });
  return answered(Promise.all(states));
}

/** How the workers with a lease stand to the job types, by name. */
export async function readCapacities(
  redis: ScriptedRedis,
  shards: Shards,
  now: number,
): Promise<Map<string, TypeCapacity>> {
  const capacities = new Map<string, TypeCapacity>();
  const infos = (await readInfos(redis, shards, now)).map(({ info }) => info).filter(({ draining }) => !draining);
  const add = (name: string, info: WorkerInfo) => capacities.set(name, withWorker(capacities.get(name), name, info));
  for (const info of infos) for (const name of info.jobNames) add(name, info);
  // while one is set up for a type, those that are not say nothing about it
  const known = new Set(capacities.keys());
  for (const info of infos) for (const { jobName } of info.closed) if (!known.has(jobName)) add(jobName, info);
  for (const { closed } of capacities.values()) closed.sort((a, b) => a.since - b.since);
  return capacities;
}

function withWorker(capacity: TypeCapacity | undefined, name: string, info: WorkerInfo): TypeCapacity {
  const { slots, workers, closed } = capacity ?? { slots: 0, workers: 0, closed: [] };
  const versions = new Set(capacity?.versions);
  if (info.jobNames.includes(name)) versions.add(info.version);
  const own = info.closed.find(({ jobName }) => jobName === name);
  if (own !== undefined) return { slots, workers: workers + 1, versions, closed: [...closed, own] };
  return { slots: slots + info.slots, workers: workers + 1, versions, closed };
}

interface KnownWorker {
  workerId: string;
  leaseEndsAt: number;
  info: WorkerInfo;
}

async function readInfos(redis: ScriptedRedis, { first }: Shards, now: number): Promise<KnownWorker[]> {
  const { workers, leases } = first.keys;
  const [infos, ends] = await answered(
    Promise.all([redis.hgetall(workers), redis.zrange(leases, now, "+inf", "BYSCORE", "WITHSCORES")]),
  );
  const known: KnownWorker[] = [];
  for (let at = 0; at < ends.length; at += 2) {
    const workerId = ends[at] ?? "";
    const info = infos[workerId];
    if (info !== undefined) known.push({ workerId, leaseEndsAt: Number(ends[at + 1]), info: parseInfo(info) });
  }
  return known;
}

/** The stored text is "incarnation session generation json"; an older controller stored no closed types. */
function parseInfo(stored: string): WorkerInfo {
  return { closed: [], ...JSON.parse(stored.slice(stored.indexOf("{"))) };
}
