/** Who a worker is. */
export interface WorkerIdentity {
  workerId: string;
  /** Random for each process of that id. */
  incarnation: string;
  /** Random for each stream of that process. */
  session: string;
}

/** What a worker says about itself, and when. */
export interface WorkerInfo {
  version: string;
  jobNames: string[];
  slots: number;
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
