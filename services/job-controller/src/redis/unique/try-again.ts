import { alreadyEnds, Overtaken } from "../shards/reply-errors.ts";

/** How often something is tried that others take and free all the time. */
const mostTries = 10;

/**
 * Tries again while other callers are quicker, but not for ever.
 * @throws ReasonedError JOB_ALREADY_EXISTS with RetryInfo when they always are
 */
export async function tryAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (tries === mostTries) throw alreadyEnds(error.jobId);
    }
  }
}
