import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";

/** Scripts that are quicker than this are not looked at, in microseconds. */
const slowFromMicros = 500;
/** Maximum number that Redis remembers. */
const maxSlow = 100_000;
/** How long Redis is left alone before its memory is read, in milliseconds. */
const settleMs = 300;
const formatKey = "{drydock:0}:format";

/** Looks into a Redis from outside. */
export class RedisProbe {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Removes all data but the format of Drydock's pool, which a controller that runs does not make again. */
  async flush(): Promise<void> {
    const format = await this.#redis.dumpBuffer(formatKey);
    await this.#redis.flushall("SYNC");
    if (format !== null) await this.#redis.restore(formatKey, 0, format);
  }

  /** The CPU time that Redis has used, in seconds. */
  async cpuSeconds(): Promise<number> {
    return (await this.#info("cpu", "used_cpu_sys")) + (await this.#info("cpu", "used_cpu_user"));
  }

  /** The memory in use, in bytes. */
  async usedMemory(): Promise<number> {
    await sleep(settleMs);
    return this.#info("memory", "used_memory");
  }

  /** How many commands others send within the time, and how many are executed inside of their scripts. */
  async countCommands(ms: number, signal: AbortSignal): Promise<{ sent: number; inside: number }> {
    const monitor = await this.#redis.monitor();
    const counts = { sent: 0, inside: 0 };
    monitor.on("monitor", (_time: string, _command: string[], source: string) => {
      counts[source === "lua" ? "inside" : "sent"]++;
    });
    try {
      await sleep(ms, undefined, { signal });
      return counts;
    } finally {
      monitor.disconnect();
    }
  }

  /** Starts to look for slow scripts. */
  async watchScripts(): Promise<void> {
    await this.#redis.config("SET", "slowlog-log-slower-than", slowFromMicros, "slowlog-max-len", maxSlow);
    await this.#redis.slowlog("RESET");
  }

  /** How long the slowest script took since then, in milliseconds; 0.5 when all were quicker. */
  async slowestScript(): Promise<number> {
    const entries = (await this.#redis.slowlog("GET", -1)) as unknown[];
    const micros = entries.flatMap((entry) => {
      const [, , duration, [command]] = entry as [number, number, number, string[]];
      return command?.toLowerCase().startsWith("eval") ? [duration] : [];
    });
    return Math.max(slowFromMicros, ...micros) / 1000;
  }

  /** The server's version. */
  async version(): Promise<string> {
    return /redis_version:(\S+)/.exec(await this.#redis.info("server"))?.[1] ?? "unknown";
  }

  async #info(section: string, field: string): Promise<number> {
    const [, value] = new RegExp(`${field}:([\\d.]+)`).exec(await this.#redis.info(section)) ?? [];
    if (value === undefined) throw new Error(`Redis tells no ${field}`);
    return Number(value);
  }
}
