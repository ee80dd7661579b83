/** How long to wait before another try. */
export interface Backoff {
  /** The longest wait before the second try, in milliseconds. */
  baseMs: number;
  /** The longest wait of all, in milliseconds. */
  capMs: number;
}

/**
 * The wait after the given number of failures (from 1), in milliseconds: exponential with full jitter, so that many
 * clients that failed together do not come back together.
 * @param random from 0 to 1
 */
export function backoffMs(backoff: Backoff, failures: number, random: number = Math.random()): number {
  return Math.round(ceilingMs(backoff, failures) * random);
}

/** The longest wait after the given number of failures (from 1), in milliseconds. */
export function ceilingMs(backoff: Backoff, failures: number): number {
  return Math.min(backoff.capMs, backoff.baseMs * 2 ** (failures - 1));
}
