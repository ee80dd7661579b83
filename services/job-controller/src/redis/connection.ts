import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { Redis } from "ioredis";
import type { RedisHealth, RedisProbe } from "../ports/redis-health.ts";
import { keysOf } from "./keys.ts";
import { PoolConnection } from "./pool-connection.ts";
import { describeFault, explain } from "./redis-fault.ts";
import type { Scripted } from "./shards/shard.ts";

/** How long Redis may take for an answer before it counts as away, in milliseconds. */
const commandTimeoutMs = 3_000;
/**
 * How long nothing may arrive while an answer is due until the connection counts as dead and is made anew. Longer than
 * a command may take, so that a late answer closes no connection.
 */
const socketTimeoutMs = 4_000;
/** How often Redis is asked whether it accepts a write. */
const probePeriodMs = 1_000;
/** How often the role is asked for instead of the write: a replica may accept writes, which are lost. */
const rolePeriodMs = 10_000;
/** How long a connection to a replica is kept at least: another server may answer the next one. */
const replicaPatienceMs = 2_000;

const options = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: commandTimeoutMs,
  connectTimeout: commandTimeoutMs,
  socketTimeout: socketTimeoutMs,
  // the ready check needs INFO, which not every user may run, and does not say what it waits for
  enableReadyCheck: false,
  // CLIENT SETINFO would receive the error with which Redis refuses a new connection, and drop it
  disableClientInfo: true,
  keepAlive: 10_000,
  retryStrategy: (times: number) => Math.min(100 * 2 ** Math.min(times, 5), 1_000),
};

/**
 * A connection that never waits for a Redis that is away: commands fail at once, and none is sent twice, because nobody
 * can know whether the first one was carried out.
 */
export function createConnection(url: string): Redis {
  return new Redis(url, options);
}

/**
 * A connection for listening, which fails as fast. Its user subscribes anew after a reconnection: if the client did, nobody
 * would catch Redis' error, and the process would end.
 */
export function createListener(url: string): Redis {
  return new Redis(url, { ...options, autoResubscribe: false });
}

/** A connection for a controller's commands, which fails as fast and sends none to a pool of another format. */
export function createPoolConnection(url: string, shards: number): PoolConnection {
  return new PoolConnection(url, options, shards);
}

/** What the connection watch needs. */
export interface ConnectionWatchOptions {
  redis: Scripted<PoolConnection>;
  /** The other connection: it leaves a replica together with this one, and its fault is told with this one's. */
  signals?: { readonly fault: string | undefined; reconnect(): void };
  logger: Logger;
}

/**
 * Keeps the connection, asks Redis every second whether it accepts a write, and logs each outage once for each cause.
 * Redis is up when the format of its pool was checked as well.
 */
export class ConnectionWatch implements RedisProbe {
  readonly name = "redis";
  readonly #options: ConnectionWatchOptions;
  readonly #firstUp = Promise.withResolvers<void>();
  #up = false;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #version = "";
  #cause: string | undefined;
  #passwordWarning: string | undefined;
  /** The causes of this outage that are in the log. */
  readonly #loggedCauses = new Set<string>();
  #roleCheckedAt = 0;
  #replicaLeftAt = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
    options.redis.on("error", (error) => this.#markDown(error));
    options.redis.on("close", () => this.#markDown(new Error("Connection is closed.")));
  }

  get up(): boolean {
    return this.#up;
  }

  get cause(): string | undefined {
    return this.#options.redis.mismatch ?? this.#cause;
  }

  /** Resolves when Redis is up for the first time. */
  get firstUp(): Promise<void> {
    return this.#firstUp.promise;
  }

  /**
   * Connects; a Redis that is away at the start is waited for, not a fault.
   * @throws ReasonedError POOL_FORMAT_MISMATCH
   */
  async start(): Promise<void> {
    const { redis } = this.#options;
    await redis.connect().catch((error: unknown) => this.#markDown(toError(error)));
    await this.#probe((mismatch) => {
      throw mismatch;
    });
    redis.on("ready", () => void this.#probe());
    this.#timer = setInterval(() => void this.#probe(), probePeriodMs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#options.redis.removeAllListeners("close");
    this.#options.redis.disconnect();
  }

  async check(): Promise<RedisHealth> {
    const begun = performance.now();
    const warnings = this.cause === undefined ? [] : [this.cause];
    try {
      const info = await this.#info();
      const latencyMs = Math.round((performance.now() - begun) * 100) / 100;
      const usedMemoryBytes = Number(infoField(info, "used_memory"));
      const maxMemoryBytes = Number(infoField(info, "maxmemory"));
      const listeningFault = this.#options.signals?.fault;
      if (listeningFault !== undefined) warnings.push(listeningFault);
      warnings.push(...this.#warningsOf(info));
      return { up: this.#up, version: this.#version, latencyMs, usedMemoryBytes, maxMemoryBytes, warnings };
    } catch {
      return { up: false, version: this.#version, latencyMs: 0, usedMemoryBytes: 0, maxMemoryBytes: 0, warnings };
    }
  }

  async #probe(onMismatch = (error: ReasonedError) => this.#logMismatch(error)): Promise<void> {
    const { redis } = this.#options;
    if (redis.status !== "ready") return;
    try {
      const greeting = this.#up ? undefined : await this.#greet();
      const isRoleDue = performance.now() - this.#roleCheckedAt > rolePeriodMs;
      if (greeting !== undefined || !isRoleDue) await probe(redis);
      if (greeting !== undefined || isRoleDue) await this.#checkRole();
      if (greeting !== undefined) this.#markUp(greeting);
    } catch (error) {
      if (error instanceof ReasonedError && error.reason === "POOL_FORMAT_MISMATCH") onMismatch(error);
      else this.#markDown(toError(error));
    }
  }

  /** Checks database and format of the pool, and gives what INFO says. */
  async #greet(): Promise<string> {
    const info = await this.#info();
    this.#version = infoField(info, "redis_version");
    const { redis } = this.#options;
    await redis.checkDatabase();
    const unasked = await redis.unaskedPassword();
    this.#passwordWarning = unasked && `redis takes any password: ${unasked} ${passwordAdvice}`;
    await redis.checkFormat();
    return info;
  }

  /** What INFO says; "" when the user may not run it. */
  async #info(section = "default"): Promise<string> {
    try {
      return await this.#options.redis.info(section);
    } catch (error) {
      if (/^NOPERM /.test(toError(error).message)) return "";
      throw error;
    }
  }

  /** The writes that a replica accepts are replicated nowhere, and lost. */
  async #checkRole(): Promise<void> {
    const info = await this.#info("replication");
    if (infoField(info, "role") === "slave") throw new Error("READONLY INFO says role:slave");
    this.#roleCheckedAt = performance.now();
  }

  /** @param info what INFO says; "" when the user may not run it */
  #markUp(info: string): void {
    if (this.#up || this.#isStopped) return;
    this.#up = true;
    this.#setCause(undefined);
    this.#loggedCauses.clear();
    for (const warning of this.#warningsOf(info)) this.#options.logger.warn({}, warning);
    this.#options.logger.info({ version: this.#version }, "redis answers");
    this.#firstUp.resolve();
  }

  #warningsOf(info: string): string[] {
    return this.#passwordWarning === undefined ? warningsOf(info) : [this.#passwordWarning, ...warningsOf(info)];
  }

  #logMismatch({ reason, message }: ReasonedError): void {
    this.#up = false;
    this.#setCause(undefined);
    if (this.#isLogged(message)) return;
    this.#options.logger.error({ reason }, `calls are refused: ${message}`);
  }

  #markDown(error: Error): void {
    if (this.#isStopped) return;
    this.#up = false;
    const fault = explain(error, this.#options.redis.options.password);
    // "Connection is closed" must not replace the cause
    if (fault.isConsequence && this.cause !== undefined) return;
    const { meaning, words, remedy } = fault;
    this.#setCause(describeFault(fault));
    if (!this.#isLogged(words)) {
      this.#options.logger.warn(
        { meaning, cause: words, remedy },
        "redis does not answer as it should; calls are refused until it does",
      );
    }
    if (/^(READONLY|MASTERDOWN) /.test(words)) this.#leaveReplica();
  }

  /** Sets the text of /readyz, CheckStatus and the calls that are refused. */
  #setCause(cause: string | undefined): void {
    this.#cause = cause;
    this.#options.redis.outage = cause;
  }

  #isLogged(cause: string): boolean {
    const isLogged = this.#loggedCauses.has(cause);
    this.#loggedCauses.add(cause);
    return isLogged;
  }

  /** Another server may answer a new connection: the master that a name or a proxy points to by now. */
  #leaveReplica(): void {
    const { redis, signals } = this.#options;
    const now = performance.now();
    if (now - this.#replicaLeftAt < replicaPatienceMs) return;
    this.#replicaLeftAt = now;
    if (redis.status === "ready") redis.disconnect(true);
    signals?.reconnect();
  }
}

/** No operations, as MessagePack. */
const noOperations = Buffer.of(0x90);

/** Runs the script as calls do, so that Redis refuses this when it refuses those: scripts, writes, or the pool's keys. */
async function probe(redis: Scripted<PoolConnection>): Promise<void> {
  await redis.drydockBuffer(keysOf(0).jobs, 0, 0, noOperations);
}

const passwordAdvice = "Set one with requirepass, or take it out of DRYDOCK_REDIS_URL";
const noInfo = "redis' version, memory, role and settings are not known: its user may not run INFO; grant +info";

function infoField(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S*)`, "m").exec(info)?.[1] ?? "";
}

/** The part of Redis' memory from which operators are warned: launches are refused when all of it is used. */
const nearlyFull = 0.95;

/** Settings by which Redis may lose acknowledged writes, and memory that runs out; without INFO, that they are not known. */
function warningsOf(info: string): string[] {
  if (info === "") return [noInfo];
  const policy = infoField(info, "maxmemory_policy");
  const warnings: string[] = [];
  if (policy !== "noeviction") {
    warnings.push(`redis may evict jobs: maxmemory-policy is ${policy}; set it to noeviction`);
  }
  if (infoField(info, "aof_enabled") === "0") {
    warnings.push("redis loses jobs when it restarts: it keeps no append-only file; set appendonly to yes");
  }
  const [used, most] = [Number(infoField(info, "used_memory")), Number(infoField(info, "maxmemory"))];
  if (most > 0 && used >= nearlyFull * most) {
    const percent = Math.round((100 * used) / most);
    warnings.push(`redis has used ${percent} % of its memory; launches are refused when it is full: raise maxmemory`);
  }
  return warnings;
}
