import type { CheckIn } from "../ports/job-source.ts";

/** Minimum time between two check-ins, in milliseconds. */
const spacingMs = 250;

/** Lets check-ins through at most four times a second; of those between, the newest. */
export class CheckInGate {
  readonly #send: (checkIn: CheckIn) => void;
  #last: CheckIn | undefined;
  #waits = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (checkIn: CheckIn) => void) {
    this.#send = send;
  }

  /** The latest check-in. Progress that a check-in leaves out stays as it was. */
  get last(): CheckIn | undefined {
    return this.#last;
  }

  push({ text, progress }: CheckIn): void {
    this.#last = { text, progress: progress ?? this.#last?.progress };
    if (this.#timer === undefined) this.repeat();
    else this.#waits = true;
  }

  /** Sends the latest check-in again, in case it was lost. */
  repeat(): void {
    this.close();
    if (this.#last === undefined) return;
    this.#timer = setTimeout(() => this.#open(), spacingMs);
    this.#send(this.#last);
  }

  /** Drops the check-in that waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waits = false;
  }

  #open(): void {
    this.#timer = undefined;
    if (this.#waits) this.repeat();
  }
}
