import type { JobCommand, Lease } from "../domain/job.ts";

/** What controllers tell each other. May be lost: whoever listens also looks now and then. */
export interface ControllerSignals {
  /** A queue that was empty has a job. */
  onReady(listener: (jobName: string) => void): void;
  /** A job that this worker holds is to end. */
  onCommand(listener: (workerId: string, lease: Lease, command: JobCommand) => void): void;
  /** A worker registered job types. */
  onTypes(listener: () => void): void;
}
