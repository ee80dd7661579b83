import type { Job } from "@drydock/job-controller/domain/job.ts";
import { toWholeJob } from "@drydock/job-controller/redis/job-codec.ts";
import { keysOf } from "@drydock/job-controller/redis/keys.ts";
import type { ScriptedRedis, Shard } from "@drydock/job-controller/redis/shard.ts";

/** What is wrong with a shard: each job must stand in exactly the indexes that its status asks for. Empty when all is well. */
export async function audit(redis: ScriptedRedis, shard: Shard, number = 0): Promise<string[]> {
  const keys = keysOf(number);
  const prefix = keys.jobs.slice(0, -"jobs".length);
  const faults: string[] = [];
  const jobs = new Map<string, Job>();
  for (const id of await redis.hkeys(keys.jobs)) jobs.set(id, toWholeJob(await shard.run("read", id)));
  const places = await readPlaces(redis, prefix);
  for (const job of jobs.values()) faults.push(...faultsOf(job, places));
  for (const id of [...places.scheduled, ...places.held.keys()]) {
    if (!jobs.has(id)) faults.push(`${id} is in an index but is no job`);
  }
  const counted = new Map<string, number>();
  for (const { name, status } of jobs.values()) {
    const field = `${name}:${statusNumber(status)}`;
    counted.set(field, (counted.get(field) ?? 0) + 1);
  }
  for (const [field, count] of Object.entries(await redis.hgetall(keys.counts))) {
    if (Number(count) !== (counted.get(field) ?? 0))
      faults.push(`counts say ${field} is ${count}, there are ${counted.get(field) ?? 0}`);
  }
  return faults;
}

interface Places {
  ready: Map<string, number>;
  scheduled: Set<string>;
  periodic: Set<string>;
  held: Map<string, string[]>;
  ended: Map<string, string[]>;
  index: Map<string, number>;
  unique: Map<string, string>;
  failingHooks: Set<string>;
}

async function readPlaces(redis: ScriptedRedis, prefix: string): Promise<Places> {
  const places: Places = {
    ready: new Map(),
    scheduled: new Set(await redis.zrange(`${prefix}scheduled`, "0", "-1")),
    periodic: new Set([
      ...(await redis.zrange(`${prefix}periodic`, "0", "-1")),
      ...(await redis.smembers(`${prefix}paused-schedules`)),
    ]),
    failingHooks: new Set(await redis.zrange(`${prefix}hook-failing`, "0", "-1")),
    held: new Map(),
    ended: new Map(),
    index: new Map(),
    unique: new Map(Object.entries(await redis.hgetall(`${prefix}unique`)).map(([key, id]) => [id, key])),
  };
  const each = async (kind: string, read: (key: string, rest: string) => Promise<void>) => {
    for (const key of await redis.keys(`${prefix}${kind}:*`))
      await read(key, key.slice(prefix.length + kind.length + 1));
  };
  await each("ready", async (key) => {
    for (const id of await redis.lrange(key, 0, -1)) places.ready.set(id, (places.ready.get(id) ?? 0) + 1);
  });
  await each("held", async (key, worker) => {
    for (const id of await redis.hkeys(key)) places.held.set(id, [...(places.held.get(id) ?? []), worker]);
  });
  await each("ended", async (key, status) => {
    for (const id of await readStream(redis, key)) places.ended.set(id, [...(places.ended.get(id) ?? []), status]);
  });
  for (const id of await readStream(redis, `${prefix}index`)) places.index.set(id, (places.index.get(id) ?? 0) + 1);
  return places;
}

async function readStream(redis: ScriptedRedis, key: string): Promise<string[]> {
  return (await redis.xrange(key, "-", "+")).map(([, fields]) => fields[1] ?? "");
}

function faultsOf({ id, kind, status, workerId, uniqueKey, hookStatus }: Job, places: Places): string[] {
  const faults: string[] = [];
  const expect = (what: string, is: unknown, should: unknown) => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      faults.push(`${id} is ${status}: ${what} is ${is}, not ${should}`);
  };
  const isFinal = ["STOPPED", "CANCELLED", "ERROR", "SUCCESS"].includes(status);
  // a job that was stopped while it waited may have left its id in the queue
  if (status === "PENDING") expect("waits", (places.ready.get(id) ?? 0) >= 1, true);
  expect("scheduled", places.scheduled.has(id), status === "SCHEDULED" && kind !== "PERIODIC");
  expect("periodic", places.periodic.has(id), status === "SCHEDULED" && kind === "PERIODIC");
  expect("held by", places.held.get(id) ?? [], status === "RUNNING" ? [workerId] : []);
  expect("ended as", places.ended.get(id) ?? [], isFinal ? [String(statusNumber(status))] : []);
  expect("in the index", places.index.get(id) ?? 0, 1);
  expect("among the failing hooks", places.failingHooks.has(id), ["FAILED", "GONE"].includes(hookStatus));
  if (uniqueKey !== "") expect("holds its unique key", places.unique.has(id), !isFinal);
  return faults;
}

function statusNumber(status: Job["status"]): number {
  return ["", "SCHEDULED", "PENDING", "RUNNING", "STOPPED", "CANCELLED", "ERROR", "SUCCESS"].indexOf(status);
}
