/** The state of Redis. */
export interface RedisHealth {
  /** Whether it answers and accepts writes, with a pool that this controller can work with. */
  up: boolean;
  version: string;
  latencyMs: number;
  usedMemoryBytes: number;
  /** Redis' maxmemory, 0 when it has none. */
  maxMemoryBytes: number;
  /** Why calls are refused, rights that are missing, and settings by which it may lose data, in words for people. */
  warnings: string[];
}

/** Watches the state of Redis. */
export interface RedisProbe {
  /** Whether Redis accepted a write lately, with a pool that this controller can work with. */
  readonly up: boolean;
  /** Why calls are refused, in Redis' words, with the remedy; undefined while it is up, and before it was asked. */
  readonly cause: string | undefined;
  /** Resolves when it is up for the first time. */
  readonly firstUp: Promise<void>;
  check(): Promise<RedisHealth>;
}
