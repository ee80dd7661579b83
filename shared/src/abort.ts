import { setTimeout as delay } from "node:timers/promises";

/** The longest time that a timer of Node's takes, in milliseconds; one of a longer time ends at once. */
export const maxTimerMs = 2 ** 31 - 1;

/** Waits for the given time; rejects with the signal's reason when the signal aborts first. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    let left = ms;
    do {
      await delay(Math.min(left, maxTimerMs), undefined, signal === undefined ? {} : { signal });
      left -= maxTimerMs;
    } while (left > 0);
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}

/**
 * A signal that aborts when one of the given ones does or when the time is over, with a TimeoutError as its reason. A time of more
 * than 24 days is as long as that.
 */
export function withTimeout(ms: number, ...signals: AbortSignal[]): AbortSignal {
  return AbortSignal.any([...signals, AbortSignal.timeout(Math.min(ms, maxTimerMs))]);
}

/** The promise's outcome, or the signal's reason if that comes first. The promise itself goes on. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
