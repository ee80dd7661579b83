import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { Redis } from "ioredis";
import type { RedisHealth, RedisProbe } from "../ports/redis-health.ts";
import { PoolConnection } from "./pool-connection.ts";

/** How long Redis may take for an answer before it counts as away, in milliseconds. */
const commandTimeoutMs = 3_000;
/**
 * How long nothing may arrive while an answer is due until the connection counts as dead and is made anew. Longer than
 * a command may take, so that a late answer closes no connection.
 */
const socketTimeoutMs = 4_000;
const probePeriodMs = 1_000;

const options = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: commandTimeoutMs,
  connectTimeout: commandTimeoutMs,
  socketTimeout: socketTimeoutMs,
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

/** The same for the commands of a controller, which sends none to a pool of another format. */
export function createPoolConnection(url: string, shards: number): PoolConnection {
  return new PoolConnection(url, options, shards);
}

/** What the connection watch needs. */
export interface ConnectionWatchOptions {
  redis: PoolConnection;
  logger: Logger;
}

/**
 * Keeps the connection, asks Redis every second whether it answers, and logs each outage once. Redis is up when the
 * format of its pool was checked as well.
 */
export class ConnectionWatch implements RedisProbe {
  readonly name = "redis";
  readonly #options: ConnectionWatchOptions;
  #up = false;
  #timer: NodeJS.Timeout | undefined;
  #version = "";
  /** The mismatch that was logged last; logged again only once it has changed or was mended. */
  #loggedMismatch = "";
  #loggedCause = "";

  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
    options.redis.on("error", (error) => this.#down(error));
    options.redis.on("close", () => this.#down(new Error("the connection is closed")));
  }

  get up(): boolean {
    return this.#up;
  }

  get mismatch(): string | undefined {
    return this.#options.redis.mismatch;
  }

  /**
   * Connects; a Redis that is away at the start is waited for, not a fault.
   * @throws ReasonedError POOL_FORMAT_MISMATCH
   */
  async start(): Promise<void> {
    const { redis } = this.#options;
    await redis.connect().catch((error: unknown) => this.#down(toError(error)));
    await this.#probe((mismatch) => {
      throw mismatch;
    });
    redis.on("ready", () => void this.#probe());
    this.#timer = setInterval(() => void this.#probe(), probePeriodMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.redis.removeAllListeners("close");
    this.#options.redis.disconnect();
  }

  async check(): Promise<RedisHealth> {
    const begun = performance.now();
    try {
      const info = await this.#options.redis.info();
      const latencyMs = Math.round((performance.now() - begun) * 100) / 100;
      const usedMemoryBytes = Number(infoField(info, "used_memory"));
      const maxMemoryBytes = Number(infoField(info, "maxmemory"));
      const warnings = [...(this.mismatch === undefined ? [] : [this.mismatch]), ...riskySettings(info)];
      return { up: this.#up, version: this.#version, latencyMs, usedMemoryBytes, maxMemoryBytes, warnings };
    } catch {
      return { up: false, version: this.#version, latencyMs: 0, usedMemoryBytes: 0, maxMemoryBytes: 0, warnings: [] };
    }
  }

  async #probe(onMismatch = (error: ReasonedError) => this.#logMismatch(error)): Promise<void> {
    if (this.#options.redis.status !== "ready") return;
    try {
      if (this.#up) await this.#options.redis.ping();
      else await this.#greet();
      this.#back();
    } catch (error) {
      if (error instanceof ReasonedError && error.reason === "POOL_FORMAT_MISMATCH") onMismatch(error);
      else this.#down(toError(error));
    }
  }

  async #greet(): Promise<void> {
    const info = await this.#options.redis.info();
    this.#version = infoField(info, "redis_version");
    await this.#options.redis.checkFormat();
    for (const warning of riskySettings(info)) this.#options.logger.warn({}, warning);
  }

  #back(): void {
    if (this.#up) return;
    this.#up = true;
    this.#loggedMismatch = "";
    this.#loggedCause = "";
    this.#options.logger.info({ version: this.#version }, "redis answers");
  }

  #logMismatch({ reason, message }: ReasonedError): void {
    if (this.#loggedMismatch === message) return;
    this.#loggedMismatch = message;
    this.#options.logger.error({ reason }, `calls are refused: ${message}`);
  }

  /** Says once for each cause why there has been no answer since the start, or since the last outage was logged. */
  #logNeverUp({ message }: Error): void {
    if (this.#loggedCause === message || this.#timer === undefined) return;
    this.#loggedCause = message;
    this.#options.logger.warn(
      { cause: message },
      "redis does not answer as it should; calls are refused until it does",
    );
  }

  #down(error: Error): void {
    if (!this.#up) {
      this.#logNeverUp(error);
      return;
    }
    this.#up = false;
    this.#loggedCause = error.message;
    this.#options.logger.warn({ cause: error.message }, "redis does not answer; calls are refused until it is back");
  }
}

function infoField(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S*)`, "m").exec(info)?.[1] ?? "";
}

/** Settings by which Redis may lose what was answered. */
function riskySettings(info: string): string[] {
  const policy = infoField(info, "maxmemory_policy");
  const warnings: string[] = [];
  if (policy !== "noeviction") {
    warnings.push(`redis may evict jobs: maxmemory-policy is ${policy}; set it to noeviction`);
  }
  if (infoField(info, "aof_enabled") === "0") {
    warnings.push("redis loses jobs when it restarts: it keeps no append-only file; set appendonly to yes");
  }
  return warnings;
}
