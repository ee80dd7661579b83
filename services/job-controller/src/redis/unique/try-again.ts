import { alreadyEnds, Overtaken } from "../shards/reply-errors.ts";

/** How often a key is tried that other callers keep taking and freeing. */
const maxTries = 10;

/**
 * Tries again while other callers are faster, a bounded number of times.
 * @throws ReasonedError JOB_ALREADY_EXISTS with RetryInfo when they always are
 */
export async function tryAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (tries === maxTries) throw alreadyEnds(error.jobId);
    }
  }
}
