import { ReasonedError } from "./errors.ts";

/** How a budget is set up. */
export interface ByteBudgetOptions {
  /** What holds the bytes, in the plural, for the error: "report uploads". */
  name: string;
  /** How many bytes may be held at once. */
  bytes: number;
  /** How long a caller waits for its bytes at most, in milliseconds. Default: 10,000. */
  waitMs?: number;
  /** How many callers may wait. Default: 1,000. */
  maxWaiting?: number;
}

/** Bytes of a budget that are held. */
export interface ByteHold {
  /** Gives back what is held beyond that size; 0 gives back all. Holds never grow. */
  shrinkTo(bytes: number): void;
}

interface Waiter {
  bytes: number;
  admit(): void;
}

/** RetryInfo of refused callers, in milliseconds. */
const retryAfterMs = 1_000;

/**
 * What many calls may hold in memory together. Callers that ask for more than is free wait and are served in the
 * order in which they came, so that small requests do not starve a large one.
 */
export class ByteBudget {
  readonly #bytes: number;
  readonly #waitMs: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Waiter>();
  /** One error for all refusals: capturing its stack is most of their cost. */
  readonly #busy: ReasonedError;
  #held = 0;

  constructor({ name, bytes, waitMs = 10_000, maxWaiting = 1_000 }: ByteBudgetOptions) {
    this.#bytes = bytes;
    this.#waitMs = waitMs;
    this.#maxWaiting = maxWaiting;
    const text = `the ${name} of others hold all ${bytes} bytes that there are for them; call again shortly`;
    this.#busy = new ReasonedError("SERVER_BUSY", text, { metadata: { most: String(bytes) }, retryAfterMs });
  }

  /** How many bytes are held now. */
  get held(): number {
    return this.#held;
  }

  /**
   * Resolves once the bytes are free and held. More than the whole budget is held as the whole budget.
   * @throws ReasonedError SERVER_BUSY when they are not free in time or too many wait; the signal's reason when it aborts
   */
  async acquire(bytes: number, signal: AbortSignal): Promise<ByteHold> {
    signal.throwIfAborted();
    const hold = this.tryAcquire(bytes);
    if (hold !== undefined) return hold;
    const wanted = Math.min(bytes, this.#bytes);
    await this.#turn(wanted, signal);
    return this.#holdOf(wanted);
  }

  /** Holds the bytes when they are free and nobody waits for theirs; undefined otherwise. */
  tryAcquire(bytes: number): ByteHold | undefined {
    const wanted = Math.min(bytes, this.#bytes);
    if (this.#waiting.size > 0 || this.#held + wanted > this.#bytes) return undefined;
    this.#held += wanted;
    return this.#holdOf(wanted);
  }

  /**
   * Holds the bytes at once.
   * @throws ReasonedError SERVER_BUSY when they are not free
   */
  acquireNow(bytes: number): ByteHold {
    const hold = this.tryAcquire(bytes);
    if (hold === undefined) throw this.#busy;
    return hold;
  }

  #holdOf(bytes: number): ByteHold {
    let own = bytes;
    return {
      shrinkTo: (left) => {
        const freed = Math.max(0, own - left);
        own -= freed;
        this.#held -= freed;
        this.#admit();
      },
    };
  }

  async #turn(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#maxWaiting) throw this.#busy;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { bytes, admit: resolve };
    this.#waiting.add(waiter);
    const timer = setTimeout(() => reject(this.#busy), this.#waitMs);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } catch (error) {
      // the caller may have been admitted in the same turn
      if (!this.#waiting.delete(waiter)) this.#held -= bytes;
      this.#admit();
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (this.#held + waiter.bytes > this.#bytes) return;
      this.#waiting.delete(waiter);
      this.#held += waiter.bytes;
      waiter.admit();
    }
  }
}
