/** Period of the checks, in milliseconds. */
const lookMs = 500;
/** Minimum length of a standstill, in milliseconds; less than a controller waits for an Accept. */
const stillMs = 2_000;

/** A clock in milliseconds, whatever its zero. */
export type ReadClock = () => number;

/** Clocks that go on while the process is stopped; the second one also while the machine sleeps. */
const systemClocks: readonly ReadClock[] = [() => performance.now(), () => Date.now()];

/** Notices that the process stood still: it was stopped, the machine slept, or something kept its event loop busy. */
export class StandstillWatch {
  readonly #onStandstill: (ms: number) => void;
  readonly #clocks: readonly ReadClock[];
  readonly #timer: NodeJS.Timeout;
  #seenAt: number[];

  /**
   * Looks now and then until it is stopped.
   * @param onStandstill called with the length of each standstill
   */
  constructor(onStandstill: (ms: number) => void, clocks: readonly ReadClock[] = systemClocks) {
    this.#onStandstill = onStandstill;
    this.#clocks = clocks;
    this.#seenAt = this.#read();
    this.#timer = setInterval(() => this.look(), lookMs);
  }

  /** Checks at once: a message may come before the timer when the process wakes. */
  look(): void {
    const now = this.#read();
    const passed = Math.max(...now.map((time, at) => time - (this.#seenAt[at] ?? time)));
    this.#seenAt = now;
    if (passed > stillMs) this.#onStandstill(Math.round(passed));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #read(): number[] {
    return this.#clocks.map((read) => read());
  }
}
