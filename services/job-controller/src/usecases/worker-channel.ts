import type { ClaimedJob, JobCommand, Lease } from "../domain/job.ts";
import type { BeatReply, HelloReply, Verdict } from "../ports/job-pool.ts";

/** What a controller says to a worker. */
export interface WorkerChannel {
  /** Whether no more jobs are to be claimed for the worker until it has read what was sent. */
  readonly isFull: boolean;
  welcome(reply: HelloReply): void;
  assign(job: ClaimedJob): void;
  beatAck(sequence: number, reply: BeatReply): void;
  /** Tells it of jobs that are not its own any more, before its next beat would. */
  lost(leases: Lease[]): void;
  command(lease: Lease, command: JobCommand): void;
  resultAck(lease: Lease, verdict: Verdict): void;
  /** Asks it to finish what it has and go. */
  drain(): void;
  /** Ends the stream; the worker comes back unless the error forbids it. */
  end(error: Error): void;
}

/** How a run ended, as its worker says. */
export interface RunResult {
  lease: Lease;
  outcome: "success" | "failure" | "stopped" | "cancelled" | "released" | "postponed" | "refused";
  reason: string;
  message: string;
  retryable: boolean;
  /** In milliseconds; undefined leaves it to the back-off. */
  retryAfterMs: number | undefined;
  /** How long a postponed or refused job may be put off in all, in milliseconds; undefined is for ever. */
  patienceMs: number | undefined;
  checkIn: string;
  progress: { phase: string; percent: number } | undefined;
}
