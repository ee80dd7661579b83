import { ReasonedError } from "@drydock/shared/errors.ts";

/** How much the pool takes. */
export interface PoolLimitTerms {
  /** Jobs that wait, over all types. */
  maxWaiting: number;
  /** The part of Redis' maxmemory at which launches are refused, so that what runs can still be stored. */
  memoryPart: number;
}

/** How full the pool is. */
export interface PoolFill {
  waiting: number;
  usedMemoryBytes: number;
  /** 0 when Redis has no limit. */
  maxMemoryBytes: number;
}

const retryAfterMs = 10_000;
/** A full pool is measured anew no more often than this, in milliseconds. */
const measureAgainMs = 250;
/** What a job takes of Redis' memory beside its parameters, in bytes; rather too much. */
const bytesOfJob = 500;

/**
 * Refuses launches while the pool is full. A launch is counted on top of what was measured last, from when it is let in
 * until a measurement that began after it was stored; so it costs Redis nothing, and no launch is missed. When that
 * reaches a limit, the pool is measured anew before anybody is refused. What other controllers launch
 * is seen at the next measurement, so that together they may go beyond a limit by what they launch until then.
 */
export class PoolLimits {
  readonly #terms: PoolLimitTerms;
  readonly #measure: () => Promise<PoolFill>;
  #fill: PoolFill = { waiting: 0, usedMemoryBytes: 0, maxMemoryBytes: 0 };
  /** What is being stored, and what was stored and perhaps not measured. */
  readonly #underWay = { jobs: 0, bytes: 0 };
  readonly #stored = { jobs: 0, bytes: 0 };
  #measuring: Promise<void> | undefined;
  #measuredAt = Number.NEGATIVE_INFINITY;

  constructor(terms: PoolLimitTerms, measure: () => Promise<PoolFill>) {
    this.#terms = terms;
    this.#measure = measure;
  }

  /** Looks how full the pool is; those that ask while it does get the same. */
  measure(): Promise<void> {
    this.#measuring ??= this.#look().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  /**
   * Lets one more job in.
   * @param parametersBytes the size of its parameters as JSON
   * @param store stores it; without room for it, called with the refusal, POOL_FULL, which it throws unless it has stored
   *   the job before
   */
  async admit<T>(parametersBytes: number, store: (refusal?: ReasonedError) => Promise<T>): Promise<T> {
    if (this.#refusal() !== undefined && performance.now() - this.#measuredAt > measureAgainMs) await this.measure();
    const refusal = this.#refusal();
    if (refusal !== undefined) return store(refusal);
    const bytes = bytesOfJob + parametersBytes;
    add(this.#underWay, 1, bytes);
    try {
      const stored = await store();
      add(this.#stored, 1, bytes);
      return stored;
    } finally {
      add(this.#underWay, -1, -bytes);
    }
  }

  async #look(): Promise<void> {
    const { jobs, bytes } = this.#stored;
    this.#fill = await this.#measure();
    this.#measuredAt = performance.now();
    add(this.#stored, -jobs, -bytes);
  }

  #refusal(): ReasonedError | undefined {
    const { maxWaiting, memoryPart } = this.#terms;
    const { maxMemoryBytes } = this.#fill;
    const waiting = this.#fill.waiting + this.#stored.jobs + this.#underWay.jobs;
    if (waiting >= maxWaiting) {
      return full(`${waiting} jobs are waiting; the limit is ${maxWaiting}`, { waiting: String(waiting) });
    }
    const usedBytes = this.#fill.usedMemoryBytes + this.#stored.bytes + this.#underWay.bytes;
    if (maxMemoryBytes > 0 && usedBytes > maxMemoryBytes * memoryPart) {
      const part = `${Math.round((usedBytes / maxMemoryBytes) * 100)} %`;
      return full(`Redis uses ${part} of its memory`, { used_memory: part });
    }
    return undefined;
  }
}

function add(count: { jobs: number; bytes: number }, jobs: number, bytes: number): void {
  count.jobs += jobs;
  count.bytes += bytes;
}

function full(text: string, metadata: Record<string, string>): ReasonedError {
  return new ReasonedError("POOL_FULL", `the pool is full: ${text}`, { metadata, retryAfterMs });
}
