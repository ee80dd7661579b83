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
 * Refuses launches while the pool is full. A launch is counted on top of what was measured last, so that it costs Redis
 * nothing; when that reaches a limit, the pool is measured anew before anybody is refused. What other controllers launch
 * is seen at the next measurement, so that together they may go beyond a limit by what they launch until then.
 */
export class PoolLimits {
  readonly #terms: PoolLimitTerms;
  readonly #measure: () => Promise<PoolFill>;
  #fill: PoolFill = { waiting: 0, usedMemoryBytes: 0, maxMemoryBytes: 0 };
  #launched = { jobs: 0, bytes: 0 };
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
   * @throws ReasonedError POOL_FULL
   */
  async admit(parametersBytes: number): Promise<void> {
    if (this.#refusal() !== undefined && performance.now() - this.#measuredAt > measureAgainMs) await this.measure();
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    this.#launched.jobs += 1;
    this.#launched.bytes += bytesOfJob + parametersBytes;
  }

  async #look(): Promise<void> {
    const before = { ...this.#launched };
    this.#fill = await this.#measure();
    this.#measuredAt = performance.now();
    this.#launched.jobs -= before.jobs;
    this.#launched.bytes -= before.bytes;
  }

  #refusal(): ReasonedError | undefined {
    const { maxWaiting, memoryPart } = this.#terms;
    const { maxMemoryBytes } = this.#fill;
    const waiting = this.#fill.waiting + this.#launched.jobs;
    if (waiting >= maxWaiting) {
      return full(`${waiting} jobs are waiting; the limit is ${maxWaiting}`, { waiting: String(waiting) });
    }
    const usedBytes = this.#fill.usedMemoryBytes + this.#launched.bytes;
    if (maxMemoryBytes > 0 && usedBytes > maxMemoryBytes * memoryPart) {
      const part = `${Math.round((usedBytes / maxMemoryBytes) * 100)} %`;
      return full(`Redis uses ${part} of its memory`, { used_memory: part });
    }
    return undefined;
  }
}

function full(text: string, metadata: Record<string, string>): ReasonedError {
  return new ReasonedError("POOL_FULL", `the pool is full: ${text}`, { metadata, retryAfterMs });
}
