import assert from "node:assert/strict";
import type { Job } from "@drydock/job-controller/domain/job.ts";
import { isFinal, type JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import { faultsOfStep, type Standing } from "../support/job-history.ts";

/** What must hold of any history of the pool, whatever was asked of it; nothing that happens is missed. */
export class History {
  readonly #last = new Map<string, Job>();
  /** Job and token -> the final status of that run. */
  readonly #ends = new Map<string, JobStatus>();
  readonly #once = new Set<string>();

  /** Notes what may happen only once, such as the claim of a token. */
  once(what: string): void {
    assert.ok(!this.#once.has(what), `${what} happened twice`);
    this.#once.add(what);
  }

  /** Compares the job with how it stood one command ago. */
  observe(job: Job, now: number): void {
    const { id, status, token, revision, updatedAt } = job;
    const before = this.#last.get(id);
    this.#last.set(id, job);
    assert.deepEqual(faultsOfStep(before && standingOf(before), standingOf(job)), [], id);
    if (isFinal(status)) this.#end(`${id} with token ${token}`, status);
    if (before === undefined) return;
    assert.ok(token >= before.token, `${id}: the token went from ${before.token} to ${token}`);
    if (revision > before.revision) assert.equal(updatedAt, Math.max(now, before.updatedAt), `${id} changed now`);
  }

  #end(run: string, status: JobStatus): void {
    const ended = this.#ends.get(run) ?? status;
    assert.equal(status, ended, `${run} ended in ${ended} and in ${status}`);
    this.#ends.set(run, ended);
  }
}

/** The totals are about other jobs, and change without a revision. */
function standingOf({ executionTotals: _, executions: _launched, ...facts }: Job): Standing {
  const { revision, status, updatedAt } = facts;
  return { revision, status, updatedAt, facts };
}
