import type { Job } from "../domain/job.ts";
import type { Schedule, Settlement } from "../domain/schedule.ts";

/** A periodic job whose time has come. */
export interface DueSchedule {
  jobId: string;
  /** Its job type. */
  name: string;
  dueAt: number;
  schedule: Schedule;
}

/** The times of periodic jobs. */
export interface ScheduleStore {
  /** The periodic jobs whose time has come, and when the next of the others is due (0 when none is). */
  due(): Promise<{ due: DueSchedule[]; nextDueAt: number; more: boolean }>;
  /**
   * Launches the due time's job and sets the next time. Of all controllers that try, one succeeds.
   * @param uniqueKey a key that the job needs: while another job holds it, the time is skipped. Default: none
   */
  fire(due: DueSchedule, settlement: Settlement, uniqueKey?: string): Promise<boolean>;
  pause(jobId: string): Promise<Job>;
  /** @param nextAt the time to go on with; 0 when there is none, and the job ends */
  resume(jobId: string, nextAt: number): Promise<Job>;
  /**
   * The ids of the periodic jobs that have not ended, the newest first; at most `limit`.
   * @param before the id of the last one seen, or empty
   */
  list(before: string, limit: number): Promise<string[]>;
}
