import type { JobType } from "../domain/job-type.ts";

/** The job types that workers ever registered. */
export interface JobTypeStore {
  put(types: JobType[]): Promise<void>;
  all(): Promise<JobType[]>;
}
