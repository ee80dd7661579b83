import { sleep } from "./abort.ts";
import type { Service } from "./lifecycle.ts";
import type { Logger } from "./logger.ts";

export interface LoopOptions {
  name: string;
  logger: Logger;
  /** Maximum part of the period by which a wait is shortened at random, so that many processes spread out. Default: 0. */
  jitter?: number;
}

/**
 * Runs the function again and again: the first time at once, then one period after the last round ended, so that rounds
 * never overlap. A round that fails is logged once until one succeeds again. stop aborts the signal and waits.
 */
export function every(
  periodMs: number,
  runOnce: (signal: AbortSignal) => Promise<unknown>,
  options: LoopOptions,
): Service {
  const { name, logger, jitter = 0 } = options;
  let failures = 0;
  const round = async (signal: AbortSignal) => {
    try {
      await runOnce(signal);
      if (failures > 0) logger.info({ loop: name, failures }, "works again");
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === 1) logger.error({ loop: name, err: error }, "a round failed");
    }
  };
  const run = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await round(signal);
      await sleep(periodMs * (1 - jitter * Math.random()), signal).catch(() => {});
    }
  };
  let running: { abort: AbortController; ended: Promise<void> } | undefined;
  return {
    name,
    start: async () => {
      if (running !== undefined) return;
      const abort = new AbortController();
      running = { abort, ended: run(abort.signal) };
    },
    stop: async () => {
      running?.abort.abort(new DOMException(`${name} is stopping`, "AbortError"));
      await running?.ended;
      running = undefined;
    },
  };
}
