interface Waiter {
  isMet: () => boolean;
  resolve: (met: boolean) => void;
}

/** Waits for conditions. Code that may have made one true calls `check`. */
export class Conditions {
  readonly #waiters = new Set<Waiter>();

  /** Resolves to true once the condition is met, to false when the time is over or the signal aborts. */
  async until(isMet: () => boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (isMet()) return true;
    if (signal?.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { isMet, resolve };
    const giveUp = () => resolve(false);
    const timer = Number.isFinite(timeoutMs) ? setTimeout(giveUp, timeoutMs) : undefined;
    signal?.addEventListener("abort", giveUp, { once: true });
    this.#waiters.add(waiter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      this.#waiters.delete(waiter);
    }
  }

  check(): void {
    for (const { isMet, resolve } of this.#waiters) if (isMet()) resolve(true);
  }
}
