import { sleep } from "@drydock/shared/abort.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";

/** How long to wait before something is stored again after Redis was away, in milliseconds. */
const againMs = 500;

/** Stores what must not be forgotten, again and again while Redis is away; rejects when the signal aborts meanwhile. */
export async function storeAtLast<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await store();
    } catch (error) {
      if (!(error instanceof ReasonedError) || error.reason !== "REDIS_UNAVAILABLE") throw error;
      await sleep(againMs, signal);
    }
  }
}
