import type { JobLogger, JobType } from "../ports/job.ts";
import type { Assignment, Outcome } from "../ports/job-source.ts";

/** A line of the job's log that tells what became of an attempt. */
interface AttemptLine {
  level: keyof JobLogger;
  text: string;
}

const defaultMaxFails = 4;

/** How many attempts may fail by the job's type; a launch's policy may allow another number. */
function maxFailsOf({ maxFails }: JobType): number {
  return maxFails === 0 ? defaultMaxFails : maxFails;
}

/** The line about the begin of an attempt. */
export function beginningOf({ attempt }: Assignment, type: JobType, workerId: string): string {
  const most = Math.max(maxFailsOf(type), attempt);
  return `attempt ${attempt} of ${most} begins on ${workerId}`;
}

/** The line about the end of an attempt, and what comes next. */
export function endingOf({ attempt }: Assignment, type: JobType, outcome: Outcome): AttemptLine {
  switch (outcome.kind) {
    case "success":
      return { level: "info", text: `attempt ${attempt} ended: the job is SUCCESS` };
    case "stopped":
      return { level: "info", text: `attempt ${attempt} ended: the job is STOPPED` };
    case "cancelled":
      return { level: "info", text: `attempt ${attempt} ended: the job is CANCELLED` };
    case "failure": {
      const next = afterFailure(attempt, type, outcome);
      return { level: "error", text: `attempt ${attempt} failed: ${causeOf(outcome)}; ${next}` };
    }
    case "postponed": {
      const next = `runs again in ${Math.ceil(outcome.afterMs / 1000)} s at the earliest, as the same attempt`;
      // a handler that asks for a wait has no trouble
      if (outcome.reason === "")
        return { level: "info", text: `attempt ${attempt} waits: ${outcome.message}; ${next}` };
      return { level: "warn", text: `attempt ${attempt} postponed: it waits for ${causeOf(outcome)}; ${next}` };
    }
    case "refused": {
      const next =
        "another worker takes it as the same attempt; when every worker has been refused for a while the job is in ERROR";
      return { level: "warn", text: `attempt ${attempt} refused to this worker: ${causeOf(outcome)}; ${next}` };
    }
    case "released": {
      const why = outcome.reason === undefined ? "the worker shuts down" : causeOf(outcome);
      return {
        level: "warn",
        text: `attempt ${attempt} given back: ${why}; another worker takes it as the same attempt`,
      };
    }
  }
}

function causeOf({ reason = "", message = "" }: { reason?: string; message?: string }): string {
  return [reason, message].filter((part) => part !== "").join(": ");
}

function afterFailure(attempt: number, type: JobType, { retryable }: { retryable: boolean }): string {
  if (!retryable) return "final, another attempt makes no sense";
  return attempt < maxFailsOf(type)
    ? "another attempt follows, unless its launch allows fewer"
    : "final, unless its launch allows more attempts";
}
