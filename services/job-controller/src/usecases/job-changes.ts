/** Notifies the watchers of a job of its changes: of this controller's alone, so watchers also poll. */
export class JobChanges {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** The job changed, or its log grew. */
  changed(jobId: string): void {
    const waiting = this.#waiting.get(jobId);
    if (waiting === undefined) return;
    this.#waiting.delete(jobId);
    for (const wake of waiting) wake();
  }

  /** Resolves when the job changes, at the latest after the given time; rejects with the signal's reason. */
  next(jobId: string, atMostMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(jobId) ?? new Set();
    this.#waiting.set(jobId, waiting.add(resolve));
    const timer = setTimeout(resolve, atMostMs);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(jobId) === waiting) this.#waiting.delete(jobId);
    });
  }
}
