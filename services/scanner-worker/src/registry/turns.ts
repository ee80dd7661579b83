import { abortable } from "@drydock/shared/abort.ts";

/** Lets so many at once go on; the others wait for their turn, first come, first served. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @param count how many may be on at once */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs the work when its turn has come. Rejects with the signal's reason when that aborts while it waits. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    try {
      await abortable(promise, signal);
    } catch (error) {
      // The turn may have come in the moment in which the wait was given up.
      if (!this.#waiting.delete(resolve)) this.#pass();
      throw error;
    }
  }

  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
