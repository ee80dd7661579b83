/** How long a process is not given a job that it was refused for, or a worker one that it was lost with: at first, and at most. */
const [firstMs, longestMs] = [15_000, 900_000];

/** Which processes of workers were refused for a job, and which workers were lost with it, since a run of it ended in another way. */
export class Refusals {
  /** Process, or worker -> until when it is not given the job, and how long that wait was. */
  readonly #waits = new Map<string, { until: number; waitMs: number }>();
  readonly #lostWith = new Set<string>();
  #byAllSince = Number.POSITIVE_INFINITY;

  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  /** Notes that the process is refused; whether that is final, as those present are, and have been for the grace. */
  note(process: string, present: readonly string[], { now, graceMs }: { now: number; graceMs: number }): boolean {
    const waitMs = this.#nextWait(process);
    this.#waits.set(process, { until: now + waitMs, waitMs });
    const isByAll = present.every((each) => this.#waits.has(each));
    this.#byAllSince = isByAll ? Math.min(this.#byAllSince, now) : Number.POSITIVE_INFINITY;
    const finalAt = this.#byAllSince + graceMs;
    if (finalAt > now) this.#waits.set(process, { until: Math.min(now + waitMs, finalAt), waitMs });
    return finalAt <= now;
  }

  /** Notes that the worker was lost with it; whether the job is the cause, as each that is able was, or three in all. */
  noteLoss(workerId: string, able: readonly string[], now: number): boolean {
    const isBarredAlone = this.#lostWith.has(workerId);
    this.#lostWith.add(workerId);
    const isForAnother = able.some((each) => !this.#lostWith.has(each));
    const waitMs = this.#nextWait(workerId);
    this.#waits.set(workerId, { until: isForAnother || isBarredAlone ? now + waitMs : now, waitMs });
    return !isForAnother || this.#lostWith.size >= 3;
  }

  /** Whether the job is not given to the process or worker now. */
  bars(who: string, now: number): boolean {
    return (this.#waits.get(who)?.until ?? 0) > now;
  }

  #nextWait(who: string): number {
    const last = this.#waits.get(who)?.waitMs;
    return last === undefined ? firstMs : Math.min(2 * last, longestMs);
  }
}
