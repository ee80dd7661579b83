import { type Backoff, ceilingMs } from "@drydock/shared/backoff.ts";

/** How long a worker gets no jobs of a type after it gave one back, longer with each such wait until a run of one ends. */
const rejectBackoff: Backoff = { baseMs: 100, capMs: 30_000 };

interface Rejects {
  /** The waits since the last job that was run. */
  waits: number;
  /** Set while the type waits. */
  timer: NodeJS.Timeout | undefined;
}

/** The job types that are claimed for a worker: of those that it knows, what it has not closed and does not reject. */
export class OpenTypes {
  readonly #known: readonly string[];
  readonly #onOpen: (jobName: string) => void;
  readonly #rejects = new Map<string, Rejects>();
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

  /** The worker gave a job of the type back. Those that were under way to it meanwhile count as one. */
  rejected(jobName: string): void {
    const rejects = this.#rejects.get(jobName) ?? { waits: 0, timer: undefined };
    if (rejects.timer !== undefined) return;
    rejects.waits++;
    rejects.timer = setTimeout(
      () => {
        rejects.timer = undefined;
        this.#update();
      },
      ceilingMs(rejectBackoff, rejects.waits),
    );
    this.#rejects.set(jobName, rejects);
    this.#update();
  }

  /** A run of a job of the type came to an end: to accept it is not enough, it may be given back afterwards. */
  ran(jobName: string): void {
    const rejects = this.#rejects.get(jobName);
    if (rejects !== undefined) rejects.waits = 0;
  }

  /** Opens nothing any more. */
  stop(): void {
    for (const { timer } of this.#rejects.values()) clearTimeout(timer);
  }

  #update(): void {
    const before = this.#names;
    const isOpen = (name: string) => !this.#closed.has(name) && this.#rejects.get(name)?.timer === undefined;
    this.#names = new Set(this.#known.filter(isOpen));
    for (const name of this.#names) if (!before.has(name)) this.#onOpen(name);
  }
}
