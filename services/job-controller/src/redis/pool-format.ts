import { keysOf } from "./keys.ts";
import { recordVersion } from "./record/fields.ts";
import type { Reply } from "./shards/reply.ts";
import { list, text } from "./shards/reply.ts";
import { poolFormatMismatch } from "./shards/reply-errors.ts";

/**
 * Version of the form of keys and records. Raise it when a controller of the version before would misread or break what
 * this one writes, or the other way round: another name, type or content of a key, another form of a record. A new key
 * or field that older controllers may overlook needs no new version.
 */
export const poolVersion = 4;

/** The version of records in pools of that version: it changes with poolVersion alone. Version 2 has hooks by host, 3 what names a report before its gzip, 4 the probability of exploitation in the facts of images. */
const recordVersions: Readonly<Record<number, number>> = { 1: 16, 2: 16, 3: 16, 4: 16 };
if (recordVersions[poolVersion] !== recordVersion) {
  throw new Error(`records have version ${recordVersion}: raise poolVersion, and note it in recordVersions`);
}

/** Runs a script, as EVAL does. */
export type Evaluate = (script: string, keyCount: number, ...args: Array<string | number>) => Promise<unknown>;

const { format: formatKey, types, jobs, counts, index, schedules, workers, leases } = keysOf(0);

/**
 * Keys that prove that the pool is in use. `types` alone does for every pool that ever had a worker, and so for every
 * one that ever had a job, in whichever shard.
 */
const keysInUse = [types, jobs, counts, index, schedules, workers, leases];

/**
 * KEYS: the format key, then those of a pool in use. ARGV: version, shards. Makes the format key when none of them
 * exists; replies with the type of the format key, then its version and shards, null when missing.
 */
const script = `
local kind = redis.call("TYPE", KEYS[1]).ok
if kind == "none" and redis.call("EXISTS", unpack(KEYS, 2)) == 0 then
  redis.call("HSET", KEYS[1], "version", ARGV[1], "shards", ARGV[2])
  kind = "hash"
end
if kind ~= "hash" then return { kind } end
return { kind, unpack(redis.call("HMGET", KEYS[1], "version", "shards")) }`;

/** What the format key says; "" for a field that is missing. */
interface PoolFormat {
  /** The type of the key, as Redis' TYPE names it. */
  kind: string;
  version: string;
  shards: string;
}

/** Maximum number of shards: a job id has one character for it. */
const maxShards = 32;
const deletePool = "redis-cli --scan --pattern '{drydock:*}:*' | xargs -I % redis-cli unlink %";
const startAnew = `Let the controllers that made it finish its jobs, stop them, and delete the pool: ${deletePool}`;

/**
 * Checks that this controller can work with the pool in Redis. An empty Redis gets the format key: of controllers with
 * different numbers of shards that start at the same time, one makes it and the others are refused.
 * @throws ReasonedError POOL_FORMAT_MISMATCH with the remedy; the pool is untouched
 */
export async function checkPoolFormat(evaluate: Evaluate, shards: number): Promise<void> {
  const reply = await evaluate(script, 1 + keysInUse.length, formatKey, ...keysInUse, poolVersion, shards);
  const [kind = "", version = "", poolShards = ""] = list(reply as Reply).map((part) => text(part ?? ""));
  const fault = faultOf({ kind, version, shards: poolShards }, shards);
  if (fault === undefined) return;
  const ours = { version: String(poolVersion), shards: String(shards) };
  throw poolFormatMismatch(fault, { ...ours, pool_version: version, pool_shards: poolShards });
}

function faultOf({ kind, version, shards }: PoolFormat, ownShards: number): string | undefined {
  if (kind === "none") {
    return `Redis holds a pool without ${formatKey}: a version of Drydock made it that this one cannot work with. ${startAnew}`;
  }
  if (kind !== "hash") return `${formatKey} in Redis is a ${kind}, not the hash that Drydock makes. ${startAnew}`;
  if (!isNumber(version) || !isNumber(shards) || Number(shards) < 1 || Number(shards) > maxShards) {
    return `${formatKey} in Redis has version "${version}" and shards "${shards}": that is no version and no number of shards from 1 to ${maxShards}. If you know them, set them again: HSET ${formatKey}. Else: ${startAnew}`;
  }
  if (Number(version) > poolVersion) {
    return `the pool in Redis has version ${version}, this controller works with version ${poolVersion}. Upgrade this controller`;
  }
  if (Number(version) < poolVersion) {
    return `the pool in Redis has version ${version}, this controller works with version ${poolVersion} and converts none. ${startAnew}`;
  }
  if (Number(shards) === ownShards) return undefined;
  return `the pool in Redis was made with DRYDOCK_SHARDS=${shards}, this controller has DRYDOCK_SHARDS=${ownShards}. Set it to ${shards}; another number needs an empty pool`;
}

function isNumber(field: string): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(field);
}
