import type { RedisServer } from "@drydock/demo/stack/redis.ts";
import type { Job } from "@drydock/job-controller/domain/job.ts";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { toWholeJob } from "@drydock/job-controller/redis/record/job-codec.ts";
import { defineScript, type ScriptedRedis, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { systemClock } from "@drydock/shared/clock.ts";
import { auditParts } from "./audit-parts.ts";
import { auditReports } from "./audit-reports.ts";

/** The same of every shard of that Redis; nothing when the test has ended its process. */
export async function auditRedis({ url, process }: RedisServer): Promise<string[]> {
  if (await Promise.race([process.exited.then(() => true), Promise.resolve(false)])) return [];
  // a test may have left it standing still
  process.signal("SIGCONT");
  const redis = defineScript(createConnection(url));
  redis.on("error", () => {});
  try {
    await redis.connect();
    const keys = await redis.keys("{drydock:*}:*");
    const numbers = new Set(keys.map((key) => Number(/\d+/.exec(key)?.[0])));
    const audits = [...numbers].map((number) => audit(redis, new Shard(number, redis, systemClock)));
    return [...(await Promise.all(audits)).flat(), ...(await auditUniqueKeys(redis))];
  } finally {
    redis.disconnect();
  }
}

/** What is wrong with the unique keys of all shards: one job of a key lives, and when it is reserved, that one. */
export async function auditUniqueKeys(redis: ScriptedRedis): Promise<string[]> {
  const holders = new Map<string, string[]>();
  for (const hash of await redis.keys("{drydock:*}:unique")) {
    for (const [key, holder] of Object.entries(await redis.hgetall(hash)))
      holders.set(key, [...(holders.get(key) ?? []), holder]);
  }
  return [...holders].flatMap(([key, all]) => {
    const alive = all.filter((holder) => !holder.includes(" "));
    const others = all.filter((holder) => holder.split(" ")[0] !== alive[0]);
    return alive.length > 0 && others.length > 0 ? [`the unique key ${key} has ${all.join(" and ")}`] : [];
  });
}

/** What is wrong with a shard: each job must stand in exactly the indexes that its status asks for. Empty when all is well. */
export async function audit(redis: ScriptedRedis, shard: Shard): Promise<string[]> {
  const { keys } = shard;
  const prefix = keys.jobs.slice(0, -"jobs".length);
  const faults: string[] = [];
  const ids = await redis.hkeys(keys.jobs);
  const replies = await Promise.all(ids.map((id) => shard.run("operators/read", id)));
  const jobs = new Map(replies.map((reply) => toWholeJob(reply)).map((job) => [job.id, job]));
  const places = await readPlaces(redis, prefix);
  for (const job of jobs.values()) faults.push(...faultsOf(job, places));
  for (const id of [
    ...places.ready.keys(),
    ...places.scheduled,
    ...places.schedules,
    ...places.held.keys(),
    ...places.index.keys(),
    ...places.ended.keys(),
  ]) {
    if (!jobs.has(id)) faults.push(`${id} is in an index but is no job`);
  }
  faults.push(...(await auditParts({ redis, prefix, jobs })), ...(await auditReports(redis, shard.number)));
  const counted = new Map<string, number>();
  for (const { name, status } of jobs.values()) {
    const field = `${name}:${statusNumber(status)}`;
    counted.set(field, (counted.get(field) ?? 0) + 1);
  }
  const counts = await redis.hgetall(keys.counts);
  for (const field of new Set([...Object.keys(counts), ...counted.keys()])) {
    const [says, are] = [Number(counts[field] ?? 0), counted.get(field) ?? 0];
    if (says !== are) faults.push(`counts say ${field} is ${says}, there are ${are}`);
  }
  return faults;
}

interface Places {
  ready: Map<string, number>;
  scheduled: Set<string>;
  periodic: Set<string>;
  schedules: Set<string>;
  held: Map<string, string[]>;
  ended: Map<string, string[]>;
  index: Map<string, number>;
  unique: Map<string, string>;
  failingHooks: Set<string>;
  retriedHooks: Set<string>;
}

async function readPlaces(redis: ScriptedRedis, prefix: string): Promise<Places> {
  const places: Places = {
    ready: new Map(),
    scheduled: new Set(await redis.zrange(`${prefix}scheduled`, "0", "-1")),
    periodic: new Set(await redis.zrange(`${prefix}periodic`, "0", "-1")),
    schedules: new Set(await redis.zrange(`${prefix}schedules`, "0", "-1")),
    retriedHooks: new Set(await redis.hkeys(`${prefix}hook-tries`)),
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
  for (const kind of ["ready", "section"]) {
    await each(kind, async (key) => {
      for (const id of await redis.lrange(key, 0, -1)) places.ready.set(id, (places.ready.get(id) ?? 0) + 1);
    });
  }
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

function faultsOf(job: Job, places: Places): string[] {
  const { id, kind, status, runAt, workerId, uniqueKey, hookStatus, periodicCounts } = job;
  const faults: string[] = [];
  const expect = (what: string, is: unknown, should: unknown) => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      faults.push(`${id} is ${status}: ${what} is ${is}, not ${should}`);
  };
  const isFinal = ["STOPPED", "CANCELLED", "ERROR", "SUCCESS"].includes(status);
  expect("waits", places.ready.get(id) ?? 0, status === "PENDING" ? 1 : 0);
  expect("scheduled", places.scheduled.has(id), status === "SCHEDULED" && kind !== "PERIODIC");
  const isSchedule = status === "SCHEDULED" && kind === "PERIODIC";
  expect("periodic", places.periodic.has(id), isSchedule && (runAt > 0 || periodicCounts?.waiting === true));
  expect("among the schedules", places.schedules.has(id), isSchedule);
  expect("held by", places.held.get(id) ?? [], status === "RUNNING" ? [workerId] : []);
  expect("ended as", places.ended.get(id) ?? [], isFinal ? [String(statusNumber(status))] : []);
  expect("in the index", places.index.get(id) ?? 0, 1);
  const hasFailed = [places.retriedHooks.has(id), ["FAILED", "GONE"].includes(hookStatus)].includes(true);
  expect("among the failing hooks", places.failingHooks.has(id), hasFailed);
  if (uniqueKey !== "") expect("holds its unique key", places.unique.has(id), !isFinal);
  return faults;
}

function statusNumber(status: Job["status"]): number {
  return ["", "SCHEDULED", "PENDING", "RUNNING", "STOPPED", "CANCELLED", "ERROR", "SUCCESS"].indexOf(status);
}
