import type { RegisteredJobType } from "../domain/job-type.ts";

/** The job types that workers ever registered. */
export interface JobTypeStore {
  put(types: RegisteredJobType[]): Promise<void>;
  all(): Promise<RegisteredJobType[]>;
}
