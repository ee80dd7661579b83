import { type Fault, rulingOf } from "./fault.ts";

/** How the job-controller should treat a failure. */
export interface FailureHints {
  /** Whether another attempt makes sense. */
  retryable: boolean;
  /** The earliest time for another attempt, in milliseconds from now; absent leaves it to the back-off. */
  retryAfterMs?: number | undefined;
  /** Whose fault the failure is. Default: by `rulingOf` the reason. */
  fault?: Fault;
  /** Whether the failure concerns all jobs of the type. Default: by `rulingOf` the reason. The worker's fault always does. */
  closesType?: boolean;
  /** Whose fault it was if a probe passes right after. Default: by `rulingOf` the reason. */
  faultIfProbePasses?: Fault;
  cause?: unknown;
}

/** A failed run with a stable reason. Reason and message become the job's last_error: no secrets in them. */
export class JobFailure extends Error {
  override readonly name = "JobFailure";
  readonly reason: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly fault: Fault;
  readonly closesType: boolean;
  readonly faultIfProbePasses: Fault | undefined;

  /** @param reason a stable word in upper case, e.g. REPOSITORY_UNKNOWN; listed in docs/errors.md */
  constructor(reason: string, message: string, hints: FailureHints) {
    super(message, hints.cause === undefined ? {} : { cause: hints.cause });
    const { fault, closesType, faultIfProbePasses } = rulingOf(reason);
    this.reason = reason;
    this.retryable = hints.retryable;
    this.retryAfterMs = hints.retryAfterMs;
    this.fault = hints.fault ?? fault;
    this.closesType = hints.closesType ?? (this.fault === fault ? closesType : this.fault === "worker");
    this.faultIfProbePasses = hints.faultIfProbePasses ?? faultIfProbePasses;
  }
}
