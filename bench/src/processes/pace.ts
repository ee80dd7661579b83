import { setTimeout as sleep } from "node:timers/promises";

/** Calls the function `count` times, `atOnce` in parallel; resolves to how long that took, in seconds. */
export async function inParallel(count: number, atOnce: number, once: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await once();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return (performance.now() - begun) / 1000;
}

/** Calls the function with one entry after the other; resolves to how long each took, in milliseconds. */
export async function timed<T>(entries: readonly T[], once: (entry: T) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (const entry of entries) {
    const begun = performance.now();
    await once(entry);
    times.push(performance.now() - begun);
  }
  return times;
}

/** Calls the function at a steady rate without waiting for it; resolves when all calls have ended. */
export async function steadily(perSecond: number, seconds: number, once: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  const calls: Promise<unknown>[] = [];
  while (calls.length < perSecond * seconds) {
    const due = Math.min(((performance.now() - begun) / 1000) * perSecond, perSecond * seconds);
    while (calls.length < due) calls.push(once());
    await sleep(1);
  }
  await Promise.all(calls);
}
