import type { JobStatus } from "./job-state.ts";
import type { PeriodicCounts, Schedule } from "./schedule.ts";
import type { HookStatus } from "./status-hook.ts";

/** When a job runs: at once, at a time, or again and again. */
export const jobKinds = ["GENERIC", "SCHEDULED", "PERIODIC"] as const;

/** When a job runs. */
export type JobKind = (typeof jobKinds)[number];

/** What a user asks of a job that is to end. */
export type JobCommand = "stop" | "cancel";

/** The progress of a run. */
export interface JobProgress {
  /** The phase in a word; the job's type defines it. */
  phase: string;
  /** From 0 to 100. */
  percent: number;
}

/** Why an attempt failed. */
export interface JobError {
  /** A stable word in upper case. */
  reason: string;
  message: string;
  /** The attempt that failed, from 1. */
  attempt: number;
  /** Milliseconds since 1970. */
  at: number;
}

/** The attempts and times of a job; 0 leaves a value to the job's type. */
export interface JobPolicy {
  /** How many attempts may fail. */
  maxAttempts: number;
  /** The longest wait before the second attempt, in milliseconds. */
  backoffBaseMs: number;
  /** The longest wait of all, in milliseconds. */
  backoffCapMs: number;
  /** How long one attempt may run, in milliseconds. */
  runTimeoutMs: number;
  /** How long the job may wait for its first run, in milliseconds. */
  queueTimeoutMs: number;
  /** Reasons after which no attempt follows. */
  finalReasons: string[];
}

/** The policy of a launch without one. */
export const noPolicy: JobPolicy = {
  maxAttempts: 0,
  backoffBaseMs: 0,
  backoffCapMs: 0,
  runTimeoutMs: 0,
  queueTimeoutMs: 0,
  finalReasons: [],
};

/** The priorities: 9 goes before all others. */
export const priorities = { least: 0, usual: 5, most: 9 } as const;

/** The options of a launch. */
export interface LaunchOptions {
  kind: JobKind;
  /** From 0 to 9. */
  priority: number;
  /** Jobs of the same key share what the queue gives to that key; empty is a key like any other. */
  fairnessKey: string;
  /** When it is due, in milliseconds since 1970; 0 is at once. */
  runAt: number;
  /** Identifies the job among those alive, or empty. */
  uniqueKey: string;
  /** Makes a repeated launch give the same job for a day, or empty. */
  requestKey: string;
  policy: JobPolicy | undefined;
  labels: Record<string, string>;
  /** Of a periodic job. */
  schedule: Schedule | undefined;
  /** The URL of the status hook, or empty. */
  statusHook: string;
}

/** The options of a launch that sets none. */
export const usualOptions: LaunchOptions = {
  kind: "GENERIC",
  priority: priorities.usual,
  fairnessKey: "",
  runAt: 0,
  uniqueKey: "",
  requestKey: "",
  policy: undefined,
  labels: {},
  schedule: undefined,
  statusHook: "",
};

/** A job as the pool holds it. Times are milliseconds since 1970, 0 when they have not come. */
export interface Job {
  id: string;
  name: string;
  kind: JobKind;
  status: JobStatus;
  /** The fencing token. Grows with each claim and each loss, at least to the present time; any other is refused. */
  token: number;
  attempt: number;
  crashes: number;
  revision: number;
  /** The stop or cancel that was asked for and that the worker has not confirmed yet. */
  command: JobCommand | undefined;
  /** The job that launched it, or empty. */
  upstreamJobId: string;
  traceparent: string;
  priority: number;
  fairnessKey: string;
  uniqueKey: string;
  policy: JobPolicy | undefined;
  labels: Record<string, string>;
  /** Of a periodic job. */
  schedule: Schedule | undefined;
  /** The counts of a periodic job; undefined for other jobs, and where a read leaves them out. */
  periodicCounts: PeriodicCounts | undefined;
  /** The URL of the status hook, or empty. */
  statusHook: string;
  hookStatus: HookStatus;
  /** Who launched it, or empty: callers have no names yet. */
  createdBy: string;
  /** Of a job that a periodic job launched: the time of its cron line for which it runs. */
  scheduledFor: number;
  /** The first of the postponements in a row, while a patience limits them; else 0. */
  postponedSince: number;
  enqueuedAt: number;
  updatedAt: number;
  runAt: number;
  startedAt: number;
  endedAt: number;
  workerId: string;
  checkIn: string;
  checkInAt: number;
  progress: JobProgress | undefined;
  lastError: JobError | undefined;
  /** The first hundred jobs that it launched. */
  executions: string[];
  /** The number of all the jobs that it launched, by status. */
  executionTotals: Partial<Record<JobStatus, number>>;
  /** Empty when it was read without them. */
  parametersJson: string;
}

/** A job to be stored. */
export interface NewJob {
  name: string;
  parametersJson: string;
  /** The W3C traceparent of the launch, or empty. */
  traceparent: string;
  /** Default: usualOptions. */
  options?: LaunchOptions;
}

/** A job that was claimed for a worker. */
export interface ClaimedJob {
  id: string;
  token: number;
  name: string;
  attempt: number;
  /** The length of its log so far, in bytes. */
  logOffset: number;
  traceparent: string;
  /** How long this run may take, in milliseconds; 0 leaves it to the job's type. */
  runTimeoutMs: number;
  parametersJson: string;
}

/** The right to a job, as it is named on the stream of the worker that has it. */
export interface Lease {
  jobId: string;
  token: number;
}

/** A lease and the process that names it: only the process that holds a running job can change the job. */
export interface HeldLease extends Lease {
  /** The incarnation of the process. No other one knows it, so that it can't be guessed as a token can. */
  incarnation: string;
}
