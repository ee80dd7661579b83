import { z } from "zod";

/** One of the words, in lower or upper case. */
export const inAnyCase = <T extends string>(words: readonly T[]) =>
  z.enum([...words, ...words.map((word) => word.toUpperCase() as Uppercase<T>)]);

/** A severity as parameters have it. */
export const severityParameter = inAnyCase(["unknown", "negligible", "low", "medium", "high", "critical"]);

export function upper<T extends string>(word: T): Uppercase<T> {
  return word.toUpperCase() as Uppercase<T>;
}
