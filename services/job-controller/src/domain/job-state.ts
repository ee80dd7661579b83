/** Where a job stands, in Harbor's words. */
export const jobStatuses = ["SCHEDULED", "PENDING", "RUNNING", "STOPPED", "CANCELLED", "ERROR", "SUCCESS"] as const;

/** Where a job stands. */
export type JobStatus = (typeof jobStatuses)[number];

/** What moves a job from one status to another. */
export type JobEvent =
  | "launch"
  | "launch for later"
  | "due"
  | "claim"
  | "success"
  | "failure, to be tried again"
  | "failure, for good"
  | "postponed"
  | "postponed for longer than its patience"
  | "refused to the worker"
  | "refused to every worker"
  | "release"
  | "lease lost"
  | "lease lost three times"
  | "stop"
  | "cancel"
  | "waited too long"
  | "schedule over"
  | "retry";

/** One row of the table of a job's life; `from` is null for a job that is not there yet. */
export interface Transition {
  from: JobStatus | null;
  event: JobEvent;
  to: JobStatus;
  /** The file below redis/scripts that does it, without its ending. */
  script: string;
}

/**
 * The whole life of a job. Chores that move many jobs at once (drain, end-sub-jobs, a beat for a worker that does not
 * obey) take the same steps. docs/job-states.md shows this table, and tests hold the scripts against it.
 */
export const transitions: readonly Transition[] = [
  { from: null, event: "launch", to: "PENDING", script: "transitions/launch" },
  { from: null, event: "launch for later", to: "SCHEDULED", script: "transitions/launch" },
  { from: "SCHEDULED", event: "due", to: "PENDING", script: "transitions/promote" },
  { from: "PENDING", event: "claim", to: "RUNNING", script: "transitions/claim" },
  { from: "RUNNING", event: "success", to: "SUCCESS", script: "transitions/succeed" },
  { from: "RUNNING", event: "failure, to be tried again", to: "SCHEDULED", script: "transitions/fail" },
  { from: "RUNNING", event: "failure, for good", to: "ERROR", script: "transitions/fail" },
  { from: "RUNNING", event: "postponed", to: "SCHEDULED", script: "transitions/postpone" },
  { from: "RUNNING", event: "postponed for longer than its patience", to: "ERROR", script: "transitions/postpone" },
  { from: "RUNNING", event: "refused to the worker", to: "PENDING", script: "transitions/refuse" },
  { from: "RUNNING", event: "refused to every worker", to: "ERROR", script: "transitions/refuse" },
  { from: "RUNNING", event: "release", to: "PENDING", script: "transitions/release" },
  { from: "RUNNING", event: "lease lost", to: "PENDING", script: "lease/reap" },
  { from: "RUNNING", event: "lease lost three times", to: "ERROR", script: "lease/reap" },
  { from: "SCHEDULED", event: "stop", to: "STOPPED", script: "transitions/stop" },
  { from: "PENDING", event: "stop", to: "STOPPED", script: "transitions/stop" },
  { from: "RUNNING", event: "stop", to: "STOPPED", script: "transitions/confirm" },
  { from: "SCHEDULED", event: "cancel", to: "CANCELLED", script: "transitions/stop" },
  { from: "PENDING", event: "cancel", to: "CANCELLED", script: "transitions/stop" },
  { from: "RUNNING", event: "cancel", to: "CANCELLED", script: "transitions/confirm" },
  { from: "SCHEDULED", event: "waited too long", to: "ERROR", script: "transitions/expire" },
  { from: "PENDING", event: "waited too long", to: "ERROR", script: "transitions/expire" },
  { from: "SCHEDULED", event: "schedule over", to: "STOPPED", script: "schedule/fire" },
  { from: "CANCELLED", event: "retry", to: "PENDING", script: "transitions/retry" },
  { from: "ERROR", event: "retry", to: "PENDING", script: "transitions/retry" },
];

/** Whether a run has ended there. CANCELLED and ERROR are left only by RetryJob. */
export function isFinal(status: JobStatus): boolean {
  return status === "STOPPED" || status === "CANCELLED" || status === "ERROR" || status === "SUCCESS";
}
