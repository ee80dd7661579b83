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
  /** Whether more are waiting. */
  more: boolean;
}

/** The queues of the job types, for operators. */
export interface QueueControl {
  /** Every queue that ever had a job, by name. */
  queues(): Promise<QueueState[]>;
  /** The rates of the job types that had a job lately, by name. */
  rates(): Promise<Map<string, QueueRate>>;
  /** Lets the jobs of the type wait, or go on. Resolves to whether that changed something. */
  pause(name: string, pauses: boolean): Promise<boolean>;
  /** Stops waiting jobs, the next ones first, at most so many. */
  drain(name: string, limit: number): Promise<DrainReport>;
}
