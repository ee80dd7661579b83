import { setImmediate as nextTurn } from "node:timers/promises";
import { toError } from "@drydock/shared/errors.ts";
import type { ShownJob } from "./recent-capacities.ts";

/** How many watches of a job are woken in one turn of the event loop: each then makes a message. */
const wakesPerTurn = 50;

/** What a watch waits for: another state of the job, or the next look at it, as its log may have grown. */
type WatchFor = "change" | "look";

/** A job that is watched: it is looked at once for all of its watches, which cost nothing while it stays as it is. */
export class WatchedJob {
  readonly #read: () => Promise<ShownJob>;
  readonly #watches = new Set<JobWatch>();
  readonly #waiting = { change: new Set<JobWatch>(), look: new Set<JobWatch>() };
  #job: ShownJob | undefined;
  #counts = { change: 0, look: 0 };
  #looking: Promise<ShownJob> | undefined;
  #isDirty = false;

  /** @param read the job as it is now, without its parameters */
  constructor(read: () => Promise<ShownJob>) {
    this.#read = read;
  }

  get isWatched(): boolean {
    return this.#watches.size > 0;
  }

  /** How many changes, or looks, there were. */
  countOf(what: WatchFor): number {
    return this.#counts[what];
  }

  add(watch: JobWatch): void {
    this.#watches.add(watch);
  }

  remove(watch: JobWatch): void {
    this.#watches.delete(watch);
    this.stopWaiting(watch);
  }

  wait(watch: JobWatch, what: WatchFor): void {
    this.#waiting[what].add(watch);
  }

  stopWaiting(watch: JobWatch): void {
    this.#waiting.change.delete(watch);
    this.#waiting.look.delete(watch);
  }

  /** The job as it was seen last. */
  get latest(): ShownJob | undefined {
    return this.#job;
  }

  /** It may have changed: looks at it, and again if that is said meanwhile. */
  mayHaveChanged(): void {
    if (this.#looking !== undefined) this.#isDirty = true;
    else this.look().catch(() => {});
  }

  /** Looks at the job, or joins who does; wakes those that wait for what is found. */
  look(): Promise<ShownJob> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#isDirty && this.isWatched) this.look().catch(() => {});
    });
    return this.#looking;
  }

  async #look(): Promise<ShownJob> {
    this.#isDirty = false;
    try {
      const job = await this.#read();
      const isChanged = this.#job === undefined || isNews(job, stateOf(this.#job));
      this.#job = job;
      this.#counts.look++;
      if (isChanged) this.#counts.change++;
      void wake([...this.#waiting.look, ...(isChanged ? this.#waiting.change : [])]);
      return job;
    } catch (error) {
      for (const watch of [...this.#watches]) watch.end(toError(error));
      throw error;
    }
  }
}

/** One who watches a job. */
export class JobWatch {
  readonly #watched: WatchedJob;
  #seen = { change: 0, look: 0 };
  #pending: PromiseWithResolvers<void> | undefined;
  #error: Error | undefined;

  constructor(watched: WatchedJob) {
    this.#watched = watched;
    watched.add(this);
  }

  /** The job now. */
  async now(): Promise<ShownJob> {
    const job = await this.#watched.look();
    this.#see();
    return job;
  }

  /** The job when it is not as it was any more, or when it was looked at once more. */
  async next(what: WatchFor = "change"): Promise<ShownJob> {
    if (this.#error !== undefined) throw this.#error;
    if (this.#watched.countOf(what) === this.#seen[what]) {
      this.#pending = Promise.withResolvers();
      this.#watched.wait(this, what);
      await this.#pending.promise;
    }
    this.#see();
    return this.#watched.latest as ShownJob;
  }

  wake(): void {
    this.#watched.stopWaiting(this);
    this.#pending?.resolve();
    this.#pending = undefined;
  }

  /** Nothing more is to be told; who waits gets the error. */
  end(error: Error): void {
    this.#error ??= error;
    this.#watched.remove(this);
    this.#pending?.reject(this.#error);
    this.#pending = undefined;
  }

  #see(): void {
    this.#seen = { change: this.#watched.countOf("change"), look: this.#watched.countOf("look") };
  }
}

/** What a watcher is told of, when it changes. */
interface WatchedState {
  revision: number;
  /** What tells one wait from another. */
  wait: string;
}

/** The state of a job as a watcher sees it. */
export function stateOf({ revision, waitingFor }: ShownJob): WatchedState {
  return { revision, wait: waitingFor === undefined ? "" : `${waitingFor.since ?? ""} ${waitingFor.message}` };
}

/** Whether a watcher that was told of that state is to be told of the job. */
export function isNews(job: ShownJob, { revision, wait }: WatchedState): boolean {
  return job.revision > revision || stateOf(job).wait !== wait;
}

async function wake(watches: JobWatch[]): Promise<void> {
  for (let at = 0; at < watches.length; at += wakesPerTurn) {
    if (at > 0) await nextTurn();
    for (const watch of watches.slice(at, at + wakesPerTurn)) watch.wake();
  }
}
