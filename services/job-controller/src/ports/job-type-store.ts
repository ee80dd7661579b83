import type { RegisteredJobType } from "../domain/job-type.ts";

/** The job types that workers ever registered. */
export interface JobTypeStore {
  put(types: RegisteredJobType[]): Promise<void>;
  all(): Promise<RegisteredJobType[]>;
  /** The type of this name, undefined when no worker ever registered it. */
  find(name: string): Promise<RegisteredJobType | undefined>;
}
