import type { OpCommand, Progress } from "./job.ts";

/** The right to a job. Every message about the job names it; an older token is refused everywhere. */
export interface Lease {
  readonly jobId: string;
  /** Grows with each assignment of the job. */
  readonly token: number;
}

/** A job to run. */
export interface Assignment {
  readonly lease: Lease;
  /** The job's type. */
  readonly name: string;
  /** As launched, a JSON object as text; not yet checked against the type's schema. */
  readonly parametersJson: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** How long the run may take, in milliseconds; undefined leaves it to the job's type. */
  readonly timeoutMs: number | undefined;
  /** Where this run's lines begin in the job's log, in bytes. */
  readonly logOffset: number;
  /** The W3C traceparent of the launch; empty if it had none. */
  readonly traceContext: string;
}

/** Why a run failed. */
export interface Failure {
  /** A stable word in upper case. */
  reason: string;
  /** For people; at most 1 KiB. */
  message: string;
  retryable: boolean;
  /** The earliest time for another attempt, in milliseconds from now; undefined leaves it to the back-off. */
  retryAfterMs: number | undefined;
}

/** The job is to be run again later, as the same attempt. */
export interface Postponement {
  kind: "postponed";
  /** What it waits for, a stable word in upper case; empty when its handler asked. */
  reason: string;
  /** For people; at most 1 KiB. */
  message: string;
  /** In milliseconds. */
  afterMs: number;
  /** How long it may be postponed in all, in milliseconds; undefined is for ever. */
  patienceMs: number | undefined;
}

/** The job is given back unfinished, for another worker: this one shuts down, or can't do it. */
export interface Release {
  kind: "released";
  /** Why the worker can't do it, a stable word in upper case; absent when it shuts down. */
  reason?: string;
  message?: string;
}

/** The worker may not do the job, another one may. */
export interface Refusal {
  kind: "refused";
  /** A stable word in upper case. */
  reason: string;
  /** For people; at most 1 KiB. */
  message: string;
  /** How long the job may be put off in all, in milliseconds. */
  patienceMs: number;
}

/** How a run ended. */
export type Outcome =
  | { kind: "success" }
  | ({ kind: "failure" } & Failure)
  | { kind: "stopped" }
  | { kind: "cancelled" }
  | Postponement
  | Refusal
  | Release;

/** A check-in of a handler. */
export interface CheckIn {
  text: string;
  progress: Progress | undefined;
}

/** How a run ended, and its handler's latest check-in. */
export interface RunResult {
  lease: Lease;
  outcome: Outcome;
  /** Undefined when the handler never checked in. */
  checkIn: CheckIn | undefined;
}

/** A job type that the worker takes no jobs of, because what its jobs need is away, or because it is not set up for them. */
export interface ClosedType {
  readonly jobType: string;
  /** A stable word in upper case. */
  readonly reason: string;
  /** What is waited for, for people; at most 512 bytes, without secrets. */
  readonly message: string;
  readonly since: Date;
  /** How long a job may wait for it before it is in ERROR, in milliseconds; absent is for ever. */
  readonly patienceMs?: number;
  /** Whether it is the worker's own set-up, which no waiting mends. */
  readonly isWorkerFault: boolean;
}

/** What the worker can take. */
export interface Capacity {
  /** How many jobs at once. */
  readonly slots: number;
  readonly closed: readonly ClosedType[];
}

/** The content of a Welcome. */
export interface WelcomeTerms {
  /** How long a handler may take to obey a stop or cancel. */
  graceMs: number;
  /** Of the jobs the worker holds, those that are not its own any more. */
  drop: readonly Lease[];
}

/** The events of a job source, and its questions to the worker. */
export interface JobSourceListener {
  /** What the worker holds, results that wait for their acknowledgement included. */
  held(): Lease[];
  /** What the worker can take as the stream begins. */
  capacity(): Capacity;
  /** The controller is there, for the first time or again. The worker repeats what may have been lost. */
  onWelcome(terms: WelcomeTerms): void;
  onAssign(assignment: Assignment): void;
  /** A stop or cancel; may come more than once. */
  onCommand(lease: Lease, command: OpCommand): void;
  /** These jobs are not the worker's any more: abandon them, report nothing. */
  onLost(leases: readonly Lease[]): void;
  /** The controller has dealt with the result. */
  onAcknowledged(lease: Lease): void;
  /** Take no more jobs, finish those in hand, then go. */
  onDrain(): void;
  /** A newer process has taken the worker's id: everything held is lost and the process must end. */
  onSuperseded(): void;
}

/**
 * Where jobs come from. It connects and reconnects by itself. Messages are dropped while it is disconnected: the
 * worker sends them again when it is welcomed.
 */
export interface JobSource {
  /** Whether the controller has welcomed the worker and messages reach it. */
  readonly isConnected: boolean;
  start(listener: JobSourceListener): void;
  /** The assignment has arrived. */
  accept(lease: Lease): void;
  /** The assignment is given back, unstarted. */
  reject(lease: Lease, reason: string): void;
  checkIn(lease: Lease, checkIn: CheckIn): void;
  /** What the worker can take from now on, all of it. */
  capacity(capacity: Capacity): void;
  /** How a run ended; the worker keeps it until onAcknowledged. */
  result(result: RunResult): void;
  /** The worker takes no more jobs. */
  draining(): void;
  /** Sends what is still to be sent, and disconnects. */
  stop(): Promise<void>;
}
