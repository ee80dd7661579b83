import { sleep } from "@drydock/shared/abort.ts";
import { isPoolAway } from "../domain/pool-away.ts";

/** How long to wait before something is stored again after Redis was away, in milliseconds. */
const againMs = 500;

/** Stores what must not be forgotten, again and again while Redis is away; rejects when the signal aborts meanwhile. */
export async function storeAtLast<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await store();
    } catch (error) {
      if (!isPoolAway(error)) throw error;
      await sleep(againMs, signal);
    }
  }
}
