import type { Logger } from "@drydock/shared/logger.ts";
import type { JobCommand, Lease } from "../domain/job.ts";
import type { WorkerSession } from "./worker-session.ts";

/** Minimum number of jobs that a lone worker claims at once, as far as it has free slots. */
const minBatchSize = 8;
/** Pause in ms before a type is tried again whose claim turn another controller has: the usual length of a turn. */
const busyMs = 5;
/** Pause in ms before a type is tried again whose claim failed. */
const againMs = 250;

/**
 * Hands waiting jobs to the workers of this controller, in rounds: in each, every worker with a free slot claims, those
 * with the most free slots first, for half of its slots: while Redis hands out the one half, the controller and the worker
 * deal with the other. A round is asked for when a job comes or a slot is freed; rounds never overlap, so that under load
 * each one claims much.
 */
export class Dispatcher {
  readonly #logger: Logger;
  readonly #sessions = new Set<WorkerSession>();
  /** The job types that may have a waiting job. */
  readonly #ready = new Set<string>();
  /** The job types that wait for a pause to end before they are tried again. */
  readonly #busy = new Set<string>();
  #isRunning = false;
  #isAskedFor = false;
  #claims = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(session: WorkerSession): void {
    this.#sessions.add(session);
    this.lookEverywhere();
  }

  remove(session: WorkerSession): void {
    this.#sessions.delete(session);
  }

  get sessions(): ReadonlySet<WorkerSession> {
    return this.#sessions;
  }

  /** A job of this type is waiting. */
  wake(jobName: string): void {
    if (this.#busy.has(jobName)) return;
    this.#ready.add(jobName);
    this.ask();
  }

  /** A slot is free. */
  ask(): void {
    if (this.#isAskedFor || this.#ready.size === 0) return;
    this.#isAskedFor = true;
    queueMicrotask(() => {
      this.#isAskedFor = false;
      void this.#round();
    });
  }

  /** Looks at all queues: a wake-up may have been lost. */
  lookEverywhere(): void {
    for (const { names } of this.#sessions) for (const name of names) this.#ready.add(name);
    this.ask();
  }

  /** Passes a stop or cancel on, if the worker is one of this controller. */
  command(workerId: string, lease: Lease, command: JobCommand): void {
    for (const session of this.#sessions) {
      if (session.identity.workerId === workerId) session.command(lease, command);
    }
  }

  /** Asks a worker to finish and go, if this process of it is one of this controller. */
  drainWorker(workerId: string, incarnation: string): void {
    for (const session of this.#sessions) {
      const { identity } = session;
      if (identity.workerId === workerId && identity.incarnation === incarnation) session.drain();
    }
  }

  /** Wakes the type after a pause; the rounds of other types go on meanwhile. */
  #wakeSoon(jobName: string, afterMs: number): void {
    if (this.#busy.has(jobName)) return;
    this.#busy.add(jobName);
    setTimeout(() => {
      this.#busy.delete(jobName);
      this.wake(jobName);
    }, afterMs);
  }

  async #round(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (await this.#claimOnce()) {
        // each claim checks anew whether there is work, and a worker free for it
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Lets every free worker claim once; resolves to whether to claim again. */
  async #claimOnce(): Promise<boolean> {
    const ready = [...this.#ready].sort();
    const free = [...this.#sessions].filter(({ free, names }) => free > 0 && ready.some((name) => names.has(name)));
    if (free.length === 0) return false;
    this.#ready.clear();
    const claims = free
      .sort((a, b) => b.free - a.free)
      .map((session) =>
        this.#claim(session, ready, free.length > 1 ? Math.ceil(session.free / 2) : loneBatchSize(session)),
      );
    await Promise.all(claims);
    for (const name of ready) if (!free.some(({ names }) => names.has(name))) this.#ready.add(name);
    return this.#ready.size > 0;
  }

  async #claim(session: WorkerSession, ready: string[], limit: number): Promise<void> {
    const names = inTurn(ready, this.#claims++).filter((name) => session.names.has(name));
    try {
      const { more, busy } = await session.claim(names, limit);
      if (more) for (const name of names) this.#ready.add(name);
      for (const name of busy) this.#wakeSoon(name, busyMs);
    } catch (error) {
      // tried again after a pause, as rounds without one would follow each other while Redis is away
      for (const name of names) session.free > 0 ? this.#wakeSoon(name, againMs) : this.#ready.add(name);
      this.#logger.debug({ workerId: session.identity.workerId, err: error }, "a claim failed");
    }
  }
}

/** How many jobs a lone worker claims at once. */
function loneBatchSize({ free, slots }: WorkerSession): number {
  return Math.min(free, Math.max(minBatchSize, Math.ceil(slots / 2)));
}

/** The job types, each the first in turn, so that none with many waiting jobs takes all slots. */
function inTurn(names: string[], turn: number): string[] {
  const first = turn % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}
