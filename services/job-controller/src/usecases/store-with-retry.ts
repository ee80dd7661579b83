import { sleep } from "@drydock/shared/abort.ts";
import { isPoolAway } from "../domain/pool-away.ts";

/** Wait between two attempts while Redis is away, in milliseconds. */
const againMs = 500;

/** Stores what must not be lost: retries while Redis is away, until the signal aborts. Other errors are thrown. */
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
