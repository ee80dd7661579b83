/** A job type's queue. */
export interface QueueState {
  name: string;
  pending: number;
  running: number;
  scheduled: number;
  paused: boolean;
  /** When the oldest of the next jobs was launched, in milliseconds since 1970; 0 when none waits. */
  oldestAt: number;
  /** How many priorities and fairness keys have a waiting job. */
  lanes: number;
}

/** How many jobs of a type are launched and end in a minute, over the last one to two minutes. */
export interface QueueRate {
  launchedPerMinute: number;
  endedPerMinute: number;
}

/** What draining did. */
export interface DrainReport {
  stopped: number;
  /** The cursor from which the drain goes on; empty when all that waited when it began is done. */
  next: string;
}

/** Why jobs are out of patience, and which. */
export interface OutOfPatience {
  /** Those that came to wait before this time, in milliseconds since 1970. */
  before: number;
  /** What they waited for: their last error. */
  reason: string;
  message: string;
}

/** The queues of the job types, for operators. */
export interface QueueControl {
  /** Every queue that ever had a job, by name. */
  queues(): Promise<QueueState[]>;
  /** The rates of the job types that had a job lately, by name. */
  rates(): Promise<Map<string, QueueRate>>;
  /** The job types whose queue is paused. */
  paused(): Promise<Set<string>>;
  /** Lets the jobs of the type wait, or go on. Resolves to whether that changed something. */
  pause(name: string, pauses: boolean): Promise<boolean>;
  /** Whether the text has the form of a cursor of `drain`. */
  isDrainCursor(text: string): boolean;
  /**
   * Stops the jobs of the type that were launched before the drain began and wait, those of the highest priority first.
   * @param from the cursor that an earlier call gave; empty begins a drain
   * @param limit how much it does at most: each job is one, and so is each lane that is done
   */
  drain(name: string, from: string, limit: number): Promise<DrainReport>;
  /** Puts the waiting jobs of the type in ERROR that are out of patience, until the signal aborts; resolves to how many. */
  expire(name: string, why: OutOfPatience, signal: AbortSignal): Promise<number>;
}
