import type { JobStatus } from "./job-state.ts";

/** An action that a job's status or kind may not allow: to end it, to retry it, to pause or resume it. */
export type RefusedAction = "end" | "retry" | "schedule";

const over = "it has ended already";

const remedies: Record<Exclude<RefusedAction, "schedule">, Partial<Record<JobStatus, string>>> = {
  end: {
    STOPPED: `${over}, for good`,
    CANCELLED: `${over}, and stays so unless RetryJob brings it back`,
    ERROR: `${over}, and stays so unless RetryJob brings it back`,
    SUCCESS: `${over}, for good`,
  },
  retry: {
    SCHEDULED: "it runs by itself when its time has come",
    PENDING: "it runs by itself when a worker is free",
    RUNNING: "wait for its end, or cancel it first",
    STOPPED: "a stop is for good. Launch it again; what is to come back is ended by CancelJob",
    SUCCESS: "what is done is not done again. Launch it again",
  },
};

/** What a caller can do instead of the refused action, or why there is nothing to do. */
export function statusRemedy(asked: RefusedAction, status: JobStatus, isPeriodic: boolean): string {
  const hasEnded = status !== "SCHEDULED";
  if (asked === "schedule") {
    return isPeriodic
      ? "its schedule is over. Launch it again"
      : "only periodic jobs are paused and resumed; PauseQueue holds back all jobs of a type";
  }
  if (isPeriodic)
    return hasEnded ? "its schedule is over. Launch it again" : "it launches its jobs by itself; retry those";
  return remedies[asked][status] ?? "its status does not allow this";
}
