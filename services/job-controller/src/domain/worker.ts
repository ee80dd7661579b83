/** Who a worker is. */
export interface WorkerIdentity {
  workerId: string;
  /** Random for each process of that id. */
  incarnation: string;
  /** Random for each stream of that process. */
  session: string;
}

/** A job type that a worker knows and takes no jobs of for now, because what its jobs need is away. */
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

/** How the workers with a lease stand to a job type; those that drain are left out. */
export interface TypeCapacity {
  /** How many slots those have that take jobs of it. */
  slots: number;
  /** How many know it. */
  workers: number;
  /** The versions of their software. */
  versions: ReadonlySet<string>;
  /** What those wait for that take none for now, the longest wait first. */
  closed: ClosedType[];
}

/** What a job type waits for, and how many workers do. */
export interface TypeWait {
  reason: string;
  message: string;
  /** Since when, in milliseconds since 1970. */
  since: number;
  workers: number;
}

/** What the jobs of a type wait for when every worker that knows it takes none for now; undefined when one does, or none knows it. */
export function waitOf(capacity: TypeCapacity | undefined): TypeWait | undefined {
  const [longest] = capacity?.closed ?? [];
  if (capacity === undefined || longest === undefined || capacity.closed.length < capacity.workers) return undefined;
  const { reason, message, since } = longest;
  return { reason, message, since, workers: capacity.workers };
}

/**
 * The time before which the jobs of a type must have come to wait to be out of patience: every worker that knows it has
 * closed it for longer than any of them allows. Undefined when that is not so.
 */
export function outOfPatienceBefore({ workers, closed }: TypeCapacity, now: number): number | undefined {
  if (closed.length < workers) return undefined;
  const before = now - Math.max(...closed.map(({ patienceMs = Number.POSITIVE_INFINITY }) => patienceMs));
  return closed.every(({ since }) => since < before) ? before : undefined;
}

/** How many jobs of one fairness key may run at once, as a part of the slots: at least one, so that nobody is kept out. */
export function mostOfKey(capacity: TypeCapacity | undefined, percent: number): number {
  return Math.max(1, Math.floor(((capacity?.slots ?? 0) * percent) / 100));
}
