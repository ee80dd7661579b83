import { ReasonedError } from "@drydock/shared/errors.ts";

/** How much the pool takes. */
export interface PoolLimitTerms {
  /** Jobs that wait, over all types. */
  maxWaiting: number;
  /** The part of Redis' maxmemory at which launches are refused, so that what runs can still be stored. */
  memoryPart: number;
}

/** How full the pool was when it was last looked at. */
export interface PoolFill {
  waiting: number;
  usedMemoryBytes: number;
  /** 0 when Redis has no limit. */
  maxMemoryBytes: number;
}

const retryAfterMs = 10_000;

/** Refuses launches while the pool is full. Looks at what was measured last, so that a launch costs nothing more. */
export class PoolLimits {
  readonly #terms: PoolLimitTerms;
  #fill: PoolFill = { waiting: 0, usedMemoryBytes: 0, maxMemoryBytes: 0 };

  constructor(terms: PoolLimitTerms) {
    this.#terms = terms;
  }

  /** Notes how full the pool is. */
  measured(fill: PoolFill): void {
    this.#fill = fill;
  }

  /** @throws ReasonedError POOL_FULL */
  check(): void {
    const { waiting, usedMemoryBytes, maxMemoryBytes } = this.#fill;
    const { maxWaiting, memoryPart } = this.#terms;
    if (waiting >= maxWaiting) {
      throw full(`${waiting} jobs are waiting; the limit is ${maxWaiting}`, { waiting: String(waiting) });
    }
    if (maxMemoryBytes > 0 && usedMemoryBytes > maxMemoryBytes * memoryPart) {
      const part = `${Math.round((usedMemoryBytes / maxMemoryBytes) * 100)} %`;
      throw full(`Redis uses ${part} of its memory`, { used_memory: part });
    }
  }
}

function full(text: string, metadata: Record<string, string>): ReasonedError {
  return new ReasonedError("POOL_FULL", `the pool is full: ${text}`, { metadata, retryAfterMs });
}
