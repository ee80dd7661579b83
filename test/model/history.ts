import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Job } from "@drydock/job-controller/domain/job.ts";
import { isFinal, type JobStatus, transitions } from "@drydock/job-controller/domain/job-state.ts";

/** What must hold of any history of the pool, whatever was asked of it. */
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
    const from = before?.status ?? null;
    this.#last.set(id, job);
    if (from !== status) assert.ok(isAllowed(from, status), `${id} went from ${from} to ${status}`);
    if (isFinal(status)) this.#end(`${id} with token ${token}`, status);
    if (before === undefined) return;
    assert.ok(token >= before.token, `${id}: the token went from ${before.token} to ${token}`);
    assert.ok(revision >= before.revision, `${id}: the revision went from ${before.revision} to ${revision}`);
    if (isDeepStrictEqual(ownFacts(before), ownFacts(job))) return;
    assert.ok(revision > before.revision, `${id} changed, but not its revision`);
    assert.equal(updatedAt, now, `${id} changed now`);
  }

  #end(run: string, status: JobStatus): void {
    const ended = this.#ends.get(run) ?? status;
    assert.equal(status, ended, `${run} ended in ${ended} and in ${status}`);
    this.#ends.set(run, ended);
  }
}

function isAllowed(from: JobStatus | null, to: JobStatus): boolean {
  return transitions.some((row) => row.from === from && row.to === to);
}

/** The totals are about other jobs, and change without a revision. */
function ownFacts({ executionTotals: _, revision: _revision, updatedAt: _at, ...facts }: Job) {
  return facts;
}
