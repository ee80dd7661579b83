import type { JobCommand, Lease } from "../domain/job.ts";

/** The signals between controllers. Signals may be lost, so every listener also polls. */
export interface ControllerSignals {
  /** The connection listens, for the first time or again: earlier signals were missed. */
  onListening(listener: () => void): void;
  /** A queue that was empty has a job. */
  onReady(listener: (jobName: string) => void): void;
  /** A job that this worker holds is to end. */
  onCommand(listener: (workerId: string, lease: Lease, command: JobCommand) => void): void;
  /** A worker registered job types. */
  onTypes(listener: () => void): void;
  /** A job is due then, before all others that wait for their time; in milliseconds since 1970. */
  onDue(listener: (at: number) => void): void;
  /** An event for a status hook is due at that time, in milliseconds since 1970. */
  onHook(listener: (at: number) => void): void;
  /** A process of a worker is to take no more jobs. */
  onDrain(listener: (workerId: string, incarnation: string) => void): void;
}
