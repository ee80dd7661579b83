import type { CheckIn } from "../ports/job-source.ts";

/** At most so often is a check-in sent, in milliseconds between two. */
const spacingMs = 250;

/** Lets check-ins through at most four times a second; of those between, the newest. */
export class CheckInGate {
  readonly #send: (checkIn: CheckIn) => void;
  readonly #now: () => number;
  #last: CheckIn | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (checkIn: CheckIn) => void, now: () => number) {
    this.#send = send;
    this.#now = now;
  }

  /** What was said last. Progress that a check-in leaves out stays as it was. */
  get last(): CheckIn | undefined {
    return this.#last;
  }

  say({ text, progress }: CheckIn): void {
    this.#last = { text, progress: progress ?? this.#last?.progress };
    if (this.#timer !== undefined) return;
    const waitMs = this.#nextAt - this.#now();
    if (waitMs <= 0) this.repeat();
    else this.#timer = setTimeout(() => this.repeat(), waitMs);
  }

  /** Sends the newest again, in case it was lost. */
  repeat(): void {
    this.close();
    if (this.#last === undefined) return;
    this.#nextAt = this.#now() + spacingMs;
    this.#send(this.#last);
  }

  /** Sends nothing more of what waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
