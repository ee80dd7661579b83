import { setImmediate as nextTurn } from "node:timers/promises";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { firstFoundKeyOf } from "../domain/first-found.ts";
import type { IndexedFinding } from "../domain/report-entry.ts";
import type { FirstFoundStore } from "../ports/policy-store.ts";

/** How many times are kept in memory. */
const maxKept = 50_000;

/** How many keys are made in one turn of the event loop. */
const keysAtOnce = 2_000;

/** When findings were first found in any image. A time that is noted never changes, so it is kept in memory. */
export class FirstFound {
  readonly #store: FirstFoundStore;
  #kept = new Map<string, number>();

  constructor(store: FirstFoundStore) {
    this.#store = store;
  }

  /**
   * The times of the findings, in their order, in milliseconds since 1970. What is not noted yet is noted as found at the given
   * time; 0 is longer ago than any grace.
   * @throws ReasonedError REDIS_UNAVAILABLE
   */
  async timesOf(findings: readonly IndexedFinding[], at: number): Promise<number[]> {
    const keys = await keysOf(findings);
    const unknown = [...new Set(keys)].filter((key) => !this.#kept.has(key));
    const read = unknown.length === 0 ? undefined : await this.#read(unknown, at);
    return keys.map((key) => read?.get(key) ?? this.#kept.get(key) ?? at);
  }

  /** The times that are noted, or were now. */
  async #read(keys: readonly string[], at: number): Promise<Map<string, number>> {
    const known = await this.#store.times(keys);
    const times = new Map<string, number>();
    for (const [index, key] of keys.entries()) if (known[index] !== undefined) times.set(key, known[index]);
    const missing = keys.filter((key) => !times.has(key));
    const noted = missing.length === 0 ? [] : await this.#note(missing, at);
    for (const [index, key] of missing.entries()) if (noted[index] !== undefined) times.set(key, noted[index]);
    this.#keep(times);
    return times;
  }

  /** Nothing is noted while Redis takes nothing more. */
  async #note(keys: readonly string[], at: number): Promise<number[]> {
    try {
      return await this.#store.note(keys, at);
    } catch (error) {
      if (error instanceof ReasonedError && error.reason === "POOL_FULL") return [];
      throw error;
    }
  }

  #keep(times: ReadonlyMap<string, number>): void {
    if (this.#kept.size + times.size > maxKept) this.#kept = new Map();
    for (const [key, time] of times) this.#kept.set(key, time);
  }
}

async function keysOf(findings: readonly IndexedFinding[]): Promise<string[]> {
  const keys: string[] = [];
  for (const finding of findings) {
    if (keys.length % keysAtOnce === keysAtOnce - 1) await nextTurn();
    keys.push(firstFoundKeyOf(finding));
  }
  return keys;
}
