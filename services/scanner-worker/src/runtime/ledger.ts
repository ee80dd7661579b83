import type { Lease, RunResult } from "../ports/job-source.ts";
import type { JobRun } from "./job-run.ts";

/** A job that the worker holds: it runs, or its result waits for the acknowledgement. */
export type HeldJob = { lease: Lease; run: JobRun; result?: never } | { lease: Lease; result: RunResult; run?: never };

/** What the worker holds, by job. A job whose result is pending takes no slot. */
export class Ledger {
  readonly #jobs = new Map<string, HeldJob>();
  #runCount = 0;

  get runCount(): number {
    return this.#runCount;
  }

  get isEmpty(): boolean {
    return this.#jobs.size === 0;
  }

  /** The job, whatever its token. */
  get(jobId: string): HeldJob | undefined {
    return this.#jobs.get(jobId);
  }

  /** The job, if it is held under this token. */
  find(lease: Lease): HeldJob | undefined {
    const held = this.#jobs.get(lease.jobId);
    return held?.lease.token === lease.token ? held : undefined;
  }

  add(run: JobRun): void {
    const { lease } = run.assignment;
    this.remove(lease.jobId);
    this.#jobs.set(lease.jobId, { lease, run });
    this.#runCount += 1;
  }

  /** The run has ended and its result is kept. */
  settle(result: RunResult): void {
    this.remove(result.lease.jobId);
    this.#jobs.set(result.lease.jobId, { lease: result.lease, result });
  }

  remove(jobId: string): void {
    const held = this.#jobs.get(jobId);
    if (held === undefined) return;
    if (held.run !== undefined) this.#runCount -= 1;
    this.#jobs.delete(jobId);
  }

  leases(): Lease[] {
    return Array.from(this.#jobs.values(), ({ lease }) => lease);
  }

  runs(): JobRun[] {
    return Array.from(this.#jobs.values()).flatMap(({ run }) => run ?? []);
  }

  results(): RunResult[] {
    return Array.from(this.#jobs.values()).flatMap(({ result }) => result ?? []);
  }
}
