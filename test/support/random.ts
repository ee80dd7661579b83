import { randomInt } from "node:crypto";

/** Random numbers, reproducible from their seed. */
export interface Random {
  readonly seed: number;
  /** From 0 to the given number, that one left out. */
  below(limit: number): number;
  /** One of them. */
  pick<T>(...from: readonly [T, ...T[]]): T;
  /** True with that probability, in percent. */
  percent(chance: number): boolean;
}

/** The seed is TEST_SEED, or any. */
export function createRandom(seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))): Random {
  let state = seed;
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    seed,
    below,
    pick: (...from) => from[below(from.length)] ?? from[0],
    percent: (chance) => below(100) < chance,
  };
}
