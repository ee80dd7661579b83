/** The longest time that a job is postponed for, in milliseconds. */
const maxPostponementMs = 24 * 3_600_000;

/**
 * Thrown by a handler that cannot do its work now, because of a Retry-After, a maintenance window or a resource in use. The
 * job is run again later, as the same attempt.
 */
export class JobPostponed extends Error {
  override readonly name = "JobPostponed";
  /** How long the job waits at least, in milliseconds; never shorter than by the back-off. */
  readonly afterMs: number;

  /**
   * @param reason for people; it is the job's check-in while it waits. No secrets
   * @param afterMs in milliseconds, brought to between 0 and a day
   */
  constructor(reason: string, afterMs: number) {
    super(reason);
    this.afterMs = Math.min(Math.max(Math.round(afterMs) || 0, 0), maxPostponementMs);
  }
}
