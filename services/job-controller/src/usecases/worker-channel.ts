import type { ClaimedJob, JobCommand, Lease } from "../domain/job.ts";
import type { BeatReply, HelloReply, Verdict } from "../ports/job-pool.ts";

/** The messages that a controller sends to a worker. */
export interface WorkerChannel {
  /** Whether no more jobs are to be claimed for the worker until it has read what was sent. */
  readonly isFull: boolean;
  welcome(reply: HelloReply): void;
  assign(job: ClaimedJob): void;
  beatAck(sequence: number, reply: BeatReply): void;
  /** Sends the leases that the worker has lost, before the answer to its next beat. */
  lost(leases: Lease[]): void;
  command(lease: Lease, command: JobCommand): void;
  resultAck(lease: Lease, verdict: Verdict): void;
  /** Asks the worker to finish its jobs and leave. */
  drain(): void;
  /** Ends the stream; the worker comes back unless the error forbids it. */
  end(error: Error): void;
}

/** The result of a run, as the worker reports it. */
export interface RunResult {
  lease: Lease;
  outcome: "success" | "failure" | "stopped" | "cancelled" | "released" | "postponed";
  reason: string;
  message: string;
  retryable: boolean;
  /** In milliseconds; undefined leaves it to the back-off. */
  retryAfterMs: number | undefined;
  /** How long a postponed job may be postponed in all, in milliseconds; undefined is for ever. */
  patienceMs: number | undefined;
  checkIn: string;
  progress: { phase: string; percent: number } | undefined;
}
