import type { Backoff } from "@drydock/shared/backoff.ts";
import type { ReasonedError } from "@drydock/shared/errors.ts";
import type { ClaimedJob, HeldLease, Job, JobCommand, JobProgress, Lease, NewJob } from "../domain/job.ts";
import type { JobStatus } from "../domain/job-state.ts";
import type { TypeCapacity, WorkerIdentity, WorkerInfo, WorkerState } from "../domain/worker.ts";

/** A check-in of a running job; absent parts keep their last value. */
export interface CheckIn {
  text?: string;
  progress?: JobProgress;
}

/** A failed attempt. */
export interface Failure {
  reason: string;
  message: string;
  /** Whether to try again, and how long from now at the earliest, in milliseconds: never sooner than by the back-off. */
  retry: "never" | number;
  /** How many attempts may fail. */
  maxFails: number;
  /** The back-off of the job's type; a launch may have its own. */
  backoff: Backoff;
}

/** A run that is to be tried again later because of what it waits for. */
export interface Postponement {
  /** How long it waits at least, in milliseconds: never shorter than by the back-off. */
  delayMs: number;
  /** The back-off of the job's type; a launch may have its own. */
  backoff: Backoff;
  /** How long the job may be postponed in all, in milliseconds, before it is in ERROR; undefined is for ever. */
  patienceMs: number | undefined;
  /** What the job waits for; its error when the patience is over. */
  reason: string;
  message: string;
}

/** A job that the worker may not do, and others may. */
export interface Refusal {
  /** How long the job may be put off in all, in milliseconds, before it is in ERROR; undefined is for ever. */
  patienceMs: number | undefined;
  /** Why: the failure when every worker is refused, or that takes too long. */
  reason: string;
  message: string;
}

/** The verdict on a result: stored now, stored before, or refused because the token is not the job's any more. */
export type Verdict = "accepted" | "duplicate" | "stale";

/** An open stop or cancel for a job that a worker holds. */
export interface OpenCommand {
  lease: Lease;
  command: JobCommand;
}

/** What a worker still holds after its Hello. */
export interface HelloReply {
  keep: Lease[];
  drop: Lease[];
  commands: OpenCommand[];
  /** Whether an operator called DrainWorker. */
  drain: boolean;
}

/** The answer to a beat. */
export interface BeatReply {
  /** Named by the worker, but not its own any more. */
  lost: Lease[];
  commands: OpenCommand[];
  /** Whether an operator called DrainWorker. */
  drain: boolean;
}

/** The outcome of a claim. */
export interface Claim {
  jobs: ClaimedJob[];
  /** Whether more may be waiting. */
  more: boolean;
  /** Limited types whose claim turn another controller has: to be tried again a moment later. */
  busy: string[];
  /** Types with waiting jobs that this worker was refused for and other workers may run. */
  refused: string[];
}

/** A job type that a worker takes. */
export interface ClaimableType {
  name: string;
  /** How many jobs of the type may run at once over all workers; 0 is no limit. */
  maxRunning: number;
  /** How many jobs of one fairness key may run at once; 0 is no limit. Jobs without a key are not limited. */
  maxOfKey: number;
}

/** What an upkeep round did. */
export interface UpkeepReport {
  count: number;
  /** Whether it stopped at its bound with more to do. */
  more: boolean;
}

/** What promoting did. */
export interface PromoteReport extends UpkeepReport {
  /** When the next job is due, in milliseconds since 1970; 0 when none waits for its time. */
  nextDueAt: number;
}

/**
 * The jobs and who runs them. Each method is one transition, atomic and durable when it resolves; those that name a
 * lease change nothing when the token is not the job's, or the process is not the one that holds it.
 * @throws ReasonedError JOB_NOT_FOUND, JOB_STATUS_FORBIDS, JOB_ALREADY_EXISTS, LEASE_LOST, WORKER_SUPERSEDED, REDIS_UNAVAILABLE
 */
export interface JobPool {
  /**
   * The job that the request launched before, or the new one.
   * @param refusal why there is no room for a new one
   * @throws ReasonedError the refusal, instead of a new one
   */
  launch(job: NewJob, refusal?: ReasonedError): Promise<Job>;
  /**
   * The job that the key stands for: the one launched under it before, the one that holds the unique key, or the new one.
   * A retried parent gets the sub-jobs of its former lives that succeeded or are alive and not to end. A job without a
   * fairness key gets its parent's, or the parent's id when that has none either.
   * @param refusal why there is no room for another one under that key
   * @throws ReasonedError the refusal, instead of another one; JOB_ALREADY_EXISTS when the one that holds the unique key
   *   is about to end, or others are always quicker
   */
  launchSubJob(parent: HeldLease, key: string, job: NewJob, refusal?: ReasonedError): Promise<Job>;
  get(jobId: string): Promise<Job>;
  /** The job without its parameters, which may be large: parametersJson is empty. */
  peek(jobId: string): Promise<Job>;
  /** Ends a waiting job at once; of a running one it only notes the command, for its worker to confirm. */
  end(jobId: string, command: JobCommand): Promise<Job>;
  retry(jobId: string): Promise<Job>;

  /**
   * Registers the process. Jobs that an older incarnation held, or that this one holds and does not name, are given back.
   * @throws ReasonedError WORKER_SUPERSEDED when another incarnation came after this one, within a day of its end
   */
  hello(worker: WorkerIdentity, info: WorkerInfo, held: Lease[]): Promise<HelloReply>;
  /** Renews the worker's lease. */
  beat(worker: WorkerIdentity, held: Lease[]): Promise<BeatReply>;
  update(worker: WorkerIdentity, info: WorkerInfo): Promise<void>;
  /**
   * Asks the worker to take no more jobs, finish and go: its present process hears of it at once, at the latest with its next
   * Beat or Hello.
   * @throws ReasonedError WORKER_NOT_FOUND
   */
  drainWorker(workerId: string): Promise<void>;
  /**
   * Cuts the worker's lease and takes back what it did not accept, if this stream is still its newest. A job may have
   * broken the worker before it could accept, so that counts as a loss.
   */
  disconnect(worker: WorkerIdentity, unaccepted: Lease[]): Promise<void>;
  /** Gives back what the worker did not accept, if this stream is still its newest. */
  takeBack(worker: WorkerIdentity, unaccepted: Lease[]): Promise<void>;
  /** Forgets the worker and gives back what it holds, if this stream is still its newest. */
  leave(worker: WorkerIdentity): Promise<void>;

  /**
   * Takes waiting jobs of these types for the worker, at most `limit`, in the order of the types. Throws only when it has
   * taken none: a job that was taken is the worker's, whatever fails behind it.
   */
  claim(worker: WorkerIdentity, types: readonly ClaimableType[], limit: number): Promise<Claim>;
  checkIn(lease: HeldLease, checkIn: CheckIn): Promise<void>;
  succeed(lease: HeldLease, checkIn: CheckIn): Promise<Verdict>;
  fail(lease: HeldLease, failure: Failure, checkIn: CheckIn): Promise<Verdict>;
  /** The handler asks for another run later; no attempt is used. When its patience is over, the attempt has failed for good. */
  postpone(lease: HeldLease, postponement: Postponement, checkIn: CheckIn): Promise<Verdict>;
  /**
   * The worker may not do the job: it waits for other workers; no attempt is used. When every worker that takes jobs of the
   * type, or will again by itself, has been refused for the grace, or the patience is over, the attempt has failed for good.
   * @param checkIn what the job says while it waits for another worker
   */
  refuse(lease: HeldLease, refusal: Refusal, checkIn: CheckIn): Promise<Verdict>;
  /** The handler ended because of a stop or cancel. */
  confirm(lease: HeldLease, command: JobCommand): Promise<Verdict>;
  /** Back to the front of its queue; no attempt is used. */
  release(lease: HeldLease): Promise<Verdict>;

  /** Makes due jobs PENDING. */
  promote(): Promise<PromoteReport>;
  /**
   * Takes back the jobs of workers whose lease has ended. When no controller had looked for a while, the leases that had
   * not ended at the last look are renewed: their workers had no controller to beat to.
   */
  reap(): Promise<UpkeepReport>;
  /** Puts jobs in ERROR that have waited longer than their launch allows. */
  expire(): Promise<UpkeepReport>;
  /** Passes stops and cancels on to the jobs that the ended jobs launched. */
  endSubJobs(): Promise<UpkeepReport>;
  /**
   * Removes jobs that reached the final status before the given time. A job with undelivered hook events stays until they
   * are delivered or given up; one whose hook has failed or is gone, until it is older than `hooksBefore`.
   */
  sweep(status: JobStatus, before: number, hooksBefore: number): Promise<UpkeepReport>;

  /**
   * The time by which the `count` oldest ended jobs had ended, or all if they are fewer; undefined when none has ended.
   * `relieve` with that time removes a bounded number of jobs.
   */
  endOfOldest(count: number): Promise<number | undefined>;
  /**
   * Removes jobs that ended before the time, whatever their keep time, with logs and reports; resolves to how many. Jobs
   * with undelivered hook events stay, and those whose request was made within the last hour.
   */
  relieve(before: number): Promise<number>;

  /** Frees the unique keys that are reserved for ended jobs of other shards. */
  freeKeys(): Promise<UpkeepReport>;

  /** The workers with a lease, by id: those behind `after`, at most `limit`. Default: all. */
  workers(after?: string, limit?: number): Promise<WorkerState[]>;
  /** What the workers with a lease offer for each job type, by name. */
  capacities(): Promise<Map<string, TypeCapacity>>;
}
