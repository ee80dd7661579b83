import { abortable } from "@drydock/shared/abort.ts";
import type { Clock } from "@drydock/shared/clock.ts";

/** A short request that throws JobFailure when something is not there. */
export type Probe = (signal: AbortSignal) => Promise<void>;

/** How long an outcome stands for the next that ask, in milliseconds: job types that close together probe together. */
const standsMs = 1_000;

/** One probe for all that ask for the same at once; it is given up when none of them waits any more. */
export function sharedProbe(probe: Probe, clock: Clock): Probe {
  let current: SharedOutcome | undefined;
  return async (signal) => {
    signal.throwIfAborted();
    if (current === undefined || current.isOver(clock.now())) current = new SharedOutcome(probe, clock);
    await current.wait(signal);
  };
}

class SharedOutcome {
  readonly #abort = new AbortController();
  readonly #outcome: Promise<void>;
  #waiting = 0;
  #endedAt: number | undefined;

  constructor(probe: Probe, clock: Clock) {
    this.#outcome = probe(this.#abort.signal).finally(() => {
      this.#endedAt = clock.now();
    });
    // all that wait may be gone before it fails
    this.#outcome.catch(() => undefined);
  }

  isOver(now: number): boolean {
    return this.#abort.signal.aborted || (this.#endedAt !== undefined && now >= this.#endedAt + standsMs);
  }

  async wait(signal: AbortSignal): Promise<void> {
    this.#waiting += 1;
    try {
      await abortable(this.#outcome, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && this.#endedAt === undefined) this.#abort.abort(signal.reason);
    }
  }
}
