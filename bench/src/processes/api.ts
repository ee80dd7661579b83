/** What every process of the benchmarks tells. */
export interface ProcessApi {
  /** The CPU time that the process has used, in seconds. */
  cpuSeconds(): Promise<number>;
}

/** What a client process of either side does. Times are milliseconds since 1970, with fractions. */
export interface ClientApi extends ProcessApi {
  /** Launches no-op jobs, with `inFlight` calls in flight; resolves to how long it took, in seconds. */
  launch(count: number, inFlight: number): Promise<number>;
  /** Launches no-op jobs, 1,000 a call, with `callsInFlight` calls in flight; resolves to how long it took, in seconds. */
  launchInBulk(count: number, callsInFlight: number): Promise<number>;
  /** Launches no-op jobs one after the other; resolves to how long each took, in milliseconds. */
  launchInTurn(count: number): Promise<number[]>;
  /** Launches no-op jobs at a steady rate, whether or not earlier ones have been answered. */
  launchSteadily(perSecond: number, seconds: number): Promise<void>;
  /** Launches jobs that never end by themselves. */
  launchHeld(count: number): Promise<void>;
  /** Waits until no job waits or runs; resolves to when that was. Rejects when one did not end well. */
  untilDone(): Promise<number>;
  /** Reads `count` of the jobs launched in bulk, old ones and new ones, lists the first page as often, and stops the jobs. */
  touch(count: number): Promise<Touches>;
}

/** How long each call took, in milliseconds. */
export interface Touches {
  read: number[];
  list: number[];
  stop: number[];
}

/** What a worker has run since it was last asked. */
export interface Runs {
  count: number;
  /** When the first and the last run began. */
  firstAt: number;
  lastAt: number;
  /** How long before its run each job was launched, in milliseconds. */
  delays: number[];
}

/** What a worker process of either side does. */
export interface WorkerApi extends ProcessApi {
  /** Connects and takes jobs. */
  start(concurrency: number, finished: "kept" | "removed"): Promise<void>;
  /** Takes no more and disconnects. */
  stop(): Promise<void>;
  /** What was run, counted anew from now on. */
  takeRuns(): Promise<Runs>;
}
