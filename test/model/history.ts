import assert from "node:assert/strict";
import type { Job } from "@drydock/job-controller/domain/job.ts";
import { isFinal, type JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import type { Standing } from "../support/history-record.ts";
import { faultsOfStep } from "../support/job-history.ts";

/** What must hold of any history of the pool, whatever was asked of it; nothing that happens is missed. */
export class History {
  readonly #last = new Map<string, Job>();
  /** Job and token -> the final status of that run. */
  readonly #ends = new Map<string, JobStatus>();
  readonly #once = new Set<string>();
  /** Job -> the numbers of its hook's events, by their sequence. */
  readonly #sequences = new Map<string, Map<number, number>>();

  /** Notes what may happen only once, such as the claim of a token. */
  once(what: string): void {
    assert.ok(!this.#once.has(what), `${what} happened twice`);
    this.#once.add(what);
  }

  /** Notes that a hook is told the event of that number: later events have greater sequences, none beyond the job's revision. */
  tell(jobId: string, number: number, sequence: number): void {
    const sequences = this.#sequences.get(jobId) ?? new Map<number, number>();
    this.#sequences.set(jobId, sequences);
    assert.ok(sequence <= (this.#last.get(jobId)?.revision ?? 0), `${jobId} has not come to revision ${sequence}`);
    for (const [other, its] of sequences) {
      const isInOrder = its === number ? other === sequence : other < sequence === its < number;
      assert.ok(isInOrder, `${jobId} tells event ${number} as ${sequence}, and told event ${its} as ${other}`);
    }
    sequences.set(sequence, number);
  }

  /** When the job last changed. */
  updatedAt(jobId: string): number {
    return this.#last.get(jobId)?.updatedAt ?? 0;
  }

  /** Compares the job with how it stood one command ago. */
  observe(job: Job, now: number): void {
    const { id, status, token, revision, updatedAt } = job;
    const before = this.#last.get(id);
    this.#last.set(id, job);
    assert.deepEqual(faultsOfStep(before && standingOf(before), standingOf(job)), [], id);
    if (isFinal(status)) this.#end(`${id} with token ${token}`, status);
    if (before === undefined) return;
    assert.ok(!beginsAfterCommand(before, job), `${id} began attempt ${job.attempt} after its ${before.command}`);
    assert.ok(token >= before.token, `${id}: the token went from ${before.token} to ${token}`);
    if (revision > before.revision) assert.equal(updatedAt, Math.max(now, before.updatedAt), `${id} changed now`);
  }

  #end(run: string, status: JobStatus): void {
    const ended = this.#ends.get(run) ?? status;
    assert.equal(status, ended, `${run} ended in ${ended} and in ${status}`);
    this.#ends.set(run, ended);
  }
}

/** Whether it runs under a new token, though it was to end. */
function beginsAfterCommand(before: Job, job: Job): boolean {
  return before.command !== undefined && job.status === "RUNNING" && job.token !== before.token;
}

/** The totals are about other jobs and the status of the hook about its receiver: they change without a revision. */
function standingOf({ executionTotals: _, executions: _launched, hookStatus: _hook, ...facts }: Job): Standing {
  const { revision, status, updatedAt } = facts;
  return { revision, status, updatedAt, facts };
}
