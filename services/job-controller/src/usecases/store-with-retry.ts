import { sleep } from "@drydock/shared/abort.ts";
import { isPoolAway } from "../domain/pool-away.ts";

/** Wait between two tries while Redis is away, in milliseconds. */
const againMs = 500;

/** Stores what must not be lost: tries again while Redis is away, until the signal aborts. Any other error is passed on. */
export async function storeWithRetry<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await store();
    } catch (error) {
      if (!isPoolAway(error)) throw error;
      await sleep(againMs, signal);
    }
  }
}
