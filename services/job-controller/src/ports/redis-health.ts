/** How Redis is. */
export interface RedisHealth {
  up: boolean;
  version: string;
  latencyMs: number;
  usedMemoryBytes: number;
  /** Its limit, 0 when it has none. */
  maxMemoryBytes: number;
  /** Settings by which it may lose data, in words for people. */
  warnings: string[];
}

/** Asks Redis how it is. */
export interface RedisProbe {
  /** Whether Redis answered lately. */
  readonly up: boolean;
  check(): Promise<RedisHealth>;
}
