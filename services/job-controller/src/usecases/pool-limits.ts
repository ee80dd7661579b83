import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";

/** The limits of the pool. */
export interface PoolLimitTerms {
  /** Jobs that wait, over all types. */
  maxWaiting: number;
  /** What launches on their way to Redis may hold in this process together, in bytes. */
  inFlightBytes: number;
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
/** Shortest time between two measurements of a full pool, in milliseconds. */
const measureAgainMs = 250;
/** Redis memory of a job beside its parameters, in bytes: an upper estimate. */
const bytesOfJob = 500;

/**
 * Refuses launches while the pool is full, and when Redis is too slow for them: launches can be refused, while the calls of
 * workers about their running jobs can't. A launch is added to the last measurement, from its admission until a measurement
 * that began after it was stored: so admission costs Redis nothing, and no launch is missed. When the sum
 * reaches a limit, the pool is measured again before a launch is refused. Launches of other controllers count from the
 * next measurement on, so together controllers may exceed a limit by what they launch until then.
 */
export class PoolLimits {
  readonly #terms: PoolLimitTerms;
  readonly #measure: () => Promise<PoolFill>;
  #fill: PoolFill = { waiting: 0, usedMemoryBytes: 0, maxMemoryBytes: 0 };
  /** Launches that are being stored, or were stored after the last measurement began. */
  readonly #inFlight: { jobs: number; bytes: ByteBudget };
  readonly #stored = { jobs: 0, bytes: 0 };
  #measuring: Promise<void> | undefined;
  #measuredAt = Number.NEGATIVE_INFINITY;

  constructor(terms: PoolLimitTerms, measure: () => Promise<PoolFill>) {
    this.#terms = terms;
    this.#measure = measure;
    this.#inFlight = { jobs: 0, bytes: new ByteBudget({ name: "launches", bytes: terms.inFlightBytes }) };
  }

  /** Measures how full the pool is; concurrent callers share one measurement. */
  measure(): Promise<void> {
    this.#measuring ??= this.#look().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  /**
   * Admits one more job.
   * @param parametersBytes the size of its parameters as JSON
   * @param store stores it; without room for it, called with the refusal, POOL_FULL, which it throws unless it has stored
   *   the job before
   * @throws ReasonedError SERVER_BUSY
   */
  async admit<T>(parametersBytes: number, store: (refusal?: ReasonedError) => Promise<T>): Promise<T> {
    if (this.#refusal() !== undefined && performance.now() - this.#measuredAt > measureAgainMs) await this.measure();
    const refusal = this.#refusal();
    const bytes = bytesOfJob + parametersBytes;
    const hold = this.#inFlight.bytes.acquireNow(bytes);
    const jobs = refusal === undefined ? 1 : 0;
    this.#inFlight.jobs += jobs;
    try {
      const stored = await store(refusal);
      add(this.#stored, jobs, jobs * bytes);
      return stored;
    } finally {
      this.#inFlight.jobs -= jobs;
      hold.shrinkTo(0);
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
    const waiting = this.#fill.waiting + this.#stored.jobs + this.#inFlight.jobs;
    if (waiting >= maxWaiting) {
      return full(`${waiting} jobs are waiting; the limit is ${maxWaiting}`, { waiting: String(waiting) });
    }
    const usedBytes = this.#fill.usedMemoryBytes + this.#stored.bytes + this.#inFlight.bytes.held;
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
