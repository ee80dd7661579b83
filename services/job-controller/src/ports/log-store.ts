import type { HeldLease } from "../domain/job.ts";

/** The outcome of appending a piece. */
export interface AppendedLog {
  /** The log's length now, in bytes; what lies before it is stored. */
  length: number;
  /** Whether the log takes no more: it is full. */
  full: boolean;
}

/** A piece of a log. */
export interface LogPiece {
  text: string;
  /** The offset behind it, in bytes. */
  nextOffset: number;
}

/** The logs of jobs. */
export interface LogStore {
  /**
   * Appends a piece that begins at the offset. What is stored already is left out; a piece beyond the end is not taken,
   * and the next piece begins at the length.
   * @throws ReasonedError LEASE_LOST, REDIS_UNAVAILABLE
   */
  append(lease: HeldLease, offset: number, text: string): Promise<AppendedLog>;
  /** At most 64 KiB from the offset; empty at the end. */
  read(jobId: string, offset: number): Promise<LogPiece>;
}
