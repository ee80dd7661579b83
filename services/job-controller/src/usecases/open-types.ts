import { type Backoff, ceilingMs } from "@drydock/shared/backoff.ts";

/** Wait before a worker gets jobs of a type again after it gave one back; it grows until a run of the type ends. */
const backoff: Backoff = { baseMs: 100, capMs: 30_000 };
/** The wait when only jobs for other workers are queued: one for this worker may come at any time. */
const foreignBackoff: Backoff = { baseMs: 100, capMs: 500 };

interface Wait {
  /** How many waits there were since the last run. */
  count: number;
  /** Set while the type waits. */
  timer: NodeJS.Timeout | undefined;
}

/** The job types that are claimed for a worker: of those that it knows, what it has not closed and does not give back. */
export class OpenTypes {
  readonly #known: readonly string[];
  readonly #onOpen: (jobName: string) => void;
  readonly #waits = new Map<string, Wait>();
  #closed: ReadonlySet<string> = new Set();
  #names: ReadonlySet<string>;

  /** @param onOpen called for each type that is claimed again */
  constructor(known: Iterable<string>, onOpen: (jobName: string) => void) {
    this.#known = [...known];
    this.#names = new Set(this.#known);
    this.#onOpen = onOpen;
  }

  /** The types that are claimed now. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** The worker takes no jobs of these types; all others are open. */
  close(jobNames: Iterable<string>): void {
    this.#closed = new Set(jobNames);
    this.#update();
  }

  /** The worker gave a job of the type back. Jobs that were in flight to it then count as one. */
  backOff(jobName: string): void {
    this.#wait(jobName, backoff);
  }

  /** A claim found nothing but jobs that the worker was refused for. */
  foundNothing(jobName: string): void {
    this.#wait(jobName, foreignBackoff);
  }

  #wait(jobName: string, backoff: Backoff): void {
    const wait = this.#waits.get(jobName) ?? { count: 0, timer: undefined };
    if (wait.timer !== undefined) return;
    wait.count++;
    wait.timer = setTimeout(
      () => {
        wait.timer = undefined;
        this.#update();
      },
      ceilingMs(backoff, wait.count),
    );
    this.#waits.set(jobName, wait);
    this.#update();
  }

  /** A run of a job of the type came to an end: to accept it is not enough, it may be given back afterwards. */
  ran(jobName: string): void {
    const wait = this.#waits.get(jobName);
    if (wait !== undefined) wait.count = 0;
  }

  /** Ends all waits; no type is opened any more. */
  stop(): void {
    for (const { timer } of this.#waits.values()) clearTimeout(timer);
  }

  #update(): void {
    const before = this.#names;
    const isOpen = (name: string) => !this.#closed.has(name) && this.#waits.get(name)?.timer === undefined;
    this.#names = new Set(this.#known.filter(isOpen));
    for (const name of this.#names) if (!before.has(name)) this.#onOpen(name);
  }
}
