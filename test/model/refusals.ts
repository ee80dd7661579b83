/** How long a process is not given a job that it was refused for: at first, and at most. */
const [firstMs, longestMs] = [15_000, 900_000];

/** Which processes of workers were refused for a job since a run of it ended in another way. */
export class Refusals {
  /** Process -> until when it is not given the job, and how long that wait was. */
  readonly #waits = new Map<string, { until: number; waitMs: number }>();
  #byAllSince = Number.POSITIVE_INFINITY;

  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  /** Notes that the process is refused; whether that is final, as those present are, and have been for the grace. */
  note(process: string, present: readonly string[], { now, graceMs }: { now: number; graceMs: number }): boolean {
    const last = this.#waits.get(process)?.waitMs;
    const waitMs = last === undefined ? firstMs : Math.min(2 * last, longestMs);
    this.#waits.set(process, { until: now + waitMs, waitMs });
    const isByAll = present.every((each) => this.#waits.has(each));
    this.#byAllSince = isByAll ? Math.min(this.#byAllSince, now) : Number.POSITIVE_INFINITY;
    const finalAt = this.#byAllSince + graceMs;
    if (finalAt > now) this.#waits.set(process, { until: Math.min(now + waitMs, finalAt), waitMs });
    return finalAt <= now;
  }

  /** Whether the job is not given to the process now. */
  bars(process: string, now: number): boolean {
    return (this.#waits.get(process)?.until ?? 0) > now;
  }
}
