import { setTimeout as wait } from "node:timers/promises";
import { RpcError } from "@drydock/shared/grpc/client.ts";

/** How often and how long to ask. */
export interface Patience {
  /** In milliseconds; default 10,000. */
  withinMs?: number;
  /** The wait between two questions, in milliseconds; default 25. */
  everyMs?: number;
}

/**
 * Asks again and again until the answer will do, and gives it. A controller that is away is no answer.
 * @throws Error with the last answer when the time is over
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  willDo: (answer: T) => boolean,
  { withinMs = 10_000, everyMs = 25 }: Patience = {},
): Promise<T> {
  const end = performance.now() + withinMs;
  let last: unknown = "no answer";
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (willDo(answer)) return answer;
      last = answer;
    } catch (error) {
      if (!isPassing(error)) throw error;
      last = error.message;
    }
    await wait(everyMs);
  }
  throw new Error(`not within ${withinMs} ms: ${what}; last seen: ${JSON.stringify(last)}`);
}

/** Whether the same call may be answered a moment later. */
export function isPassing(error: unknown): error is RpcError {
  return error instanceof RpcError && (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED");
}

/** Resolves at that time of performance.now(); at once when it is past. */
export async function untilTime(at: number): Promise<void> {
  const waitMs = at - performance.now();
  if (waitMs > 0) await wait(waitMs);
}

/** How long the promise takes, in milliseconds. */
export async function timed(promise: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await promise;
  return performance.now() - begun;
}
