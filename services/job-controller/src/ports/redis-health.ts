/** How Redis is. */
export interface RedisHealth {
  /** Whether it answers, with a pool that this controller can work with. */
  up: boolean;
  version: string;
  latencyMs: number;
  usedMemoryBytes: number;
  /** Its limit, 0 when it has none. */
  maxMemoryBytes: number;
  /** Settings by which it may lose data, and why its pool is not for this controller, in words for people. */
  warnings: string[];
}

/** Asks Redis how it is. */
export interface RedisProbe {
  /** Whether Redis answered lately, with a pool that this controller can work with. */
  readonly up: boolean;
  /** Why its pool is not for this controller, with the remedy; undefined when it is, and while Redis is away. */
  readonly mismatch: string | undefined;
  check(): Promise<RedisHealth>;
}
