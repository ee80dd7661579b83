import { sleep } from "@drydock/shared/abort.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";

/** Wait between two tries while Redis is away, in milliseconds. */
const againMs = 500;

/** Stores what must not be lost: tries again while Redis is away, until the signal aborts. Any other error is passed on. */
export async function storeWithRetry<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await store();
    } catch (error) {
      if (!(error instanceof ReasonedError) || error.reason !== "REDIS_UNAVAILABLE") throw error;
      await sleep(againMs, signal);
    }
  }
}
