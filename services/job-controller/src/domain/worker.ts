import { ReasonedError } from "@drydock/shared/errors.ts";
/** Who a worker is. */
export interface WorkerIdentity {
  workerId: string;
  /** Random for each process of that id. */
  incarnation: string;
  /** Random for each stream of that process. */
  session: string;
}

/** A job type that a worker takes no jobs of, because what its jobs need is away, or because it is not set up for them. */
export interface ClosedType {
  jobName: string;
  /** A stable word in upper case. */
  reason: string;
  /** What is waited for, for people. */
  message: string;
  /** Since when, in milliseconds since 1970. */
  since: number;
  /** How long a job may wait for it, in milliseconds, before it is in ERROR; undefined is for ever. */
  patienceMs?: number | undefined;
  /** Whether it is the worker's own set-up, which no waiting mends. */
  isWorkerFault: boolean;
}

/** How many jobs a worker takes, and of which types none for now. */
export interface WorkerCapacity {
  slots: number;
  closed: ClosedType[];
}

/** A worker's facts about itself, and since when they hold. */
export interface WorkerInfo extends WorkerCapacity {
  version: string;
  jobNames: string[];
  draining: boolean;
  /** When it joined, in milliseconds since 1970. */
  startedAt: number;
}

/** A worker as CheckStatus shows it. */
export interface WorkerState extends WorkerInfo {
  workerId: string;
  /** How many jobs it holds. */
  running: number;
  /** The jobs it holds; the first hundred. */
  jobIds: string[];
  /** When its lease ends, in milliseconds since 1970. */
  leaseEndsAt: number;
}

/** What the workers with a lease offer for a job type; draining workers are left out. */
export interface TypeCapacity {
  /** The slots of the workers that take jobs of the type. */
  slots: number;
  /** The number of workers that are set up for the type; when none is, of those that say so. */
  workers: number;
  /** The versions of their software. */
  versions: ReadonlySet<string>;
  /** What the workers that have closed the type wait for, the longest wait first. */
  closed: ClosedType[];
}

/** What the jobs of a type wait for while none of them is run. */
export interface TypeWait {
  reason: string;
  message: string;
  /** Since when, in milliseconds since 1970; undefined where that is not known. */
  since?: number;
  /** How many workers have closed the type. */
  workers: number;
}

/** What decides whether the jobs of a type are run. */
export interface TypeStanding {
  capacity: TypeCapacity | undefined;
  /** Whether an operator paused the queue. */
  isPaused: boolean;
}

/** What the jobs of a type wait for; undefined when its queue goes on and a worker takes them, also one that is busy. */
export function waitOf(jobName: string, { capacity, isPaused }: TypeStanding): TypeWait | undefined {
  if (isPaused) return { reason: "QUEUE_PAUSED", message: "the queue is paused", workers: 0 };
  const { slots, closed } = capacity ?? { slots: 0, closed: [] };
  if (slots > 0) return undefined;
  const [longest] = closed;
  if (longest === undefined) {
    const message = `no worker takes ${jobName}; start one that is set up for it`;
    return { reason: "NO_WORKER", message, workers: 0 };
  }
  const { reason, message, since } = longest;
  return { reason, message, since, workers: closed.length };
}

/** Which jobs of a type are out of patience. */
export interface EndOfPatience {
  /** Those that came to wait before this time, in milliseconds since 1970. */
  before: number;
  /** What they waited for. */
  longest: ClosedType;
}

/**
 * The jobs of a type are out of patience when every worker that knows it has closed it for longer than any of them allows;
 * undefined when that is not so. Workers that are not set up for it are not asked: they would never run its jobs.
 */
export function outOfPatienceBefore({ workers, closed }: TypeCapacity, now: number): EndOfPatience | undefined {
  const able = closed.filter(({ isWorkerFault }) => !isWorkerFault);
  const [longest] = able;
  if (closed.length < workers || longest === undefined) return undefined;
  const before = now - Math.max(...able.map(({ patienceMs = Number.POSITIVE_INFINITY }) => patienceMs));
  return able.every(({ since }) => since < before) ? { before, longest } : undefined;
}

/** How many jobs of one fairness key may run at once, as a part of the slots: at least one, so that nobody is kept out. */
export function maxOfKey(capacity: TypeCapacity | undefined, percent: number): number {
  return Math.max(1, Math.floor(((capacity?.slots ?? 0) * percent) / 100));
}

/** Whether the pool refused a worker's stream itself. Other errors, such as POOL_FULL, are not about the stream. */
export function isSuperseded(error: unknown): error is ReasonedError {
  return error instanceof ReasonedError && (error.reason === "LEASE_LOST" || error.reason === "WORKER_SUPERSEDED");
}
