import assert from "node:assert/strict";
import fc from "fast-check";
import type { PoolUnderTest } from "../support/pool.ts";
import { commandsOf, type Mix } from "./commands.ts";
import { compareAll } from "./compare-all.ts";
import { Driver } from "./driver.ts";
import { runCommand } from "./run-command.ts";

/** Each run is a history of its own, of up to `maxCommands` commands; on average it is half of them. */
const numRuns = 60;
const maxCommands = 120;
/** An agreement on less than this, because the time was over, is none. */
const leastCommands = (numRuns * maxCommands) / 4;
/** No more is asked after this, in milliseconds; a counterexample is made smaller no longer than this. */
const usualPatienceMs = 60_000;

/** Which histories are tried. */
export interface AgreementOptions {
  mix: Mix;
  seed: number;
  /** Whether the first disagreement is thrown as it is, and not made smaller. */
  endOnFailure?: boolean;
  /** After how many milliseconds it is interrupted; default 60,000. */
  patienceMs?: number;
}

/**
 * Asks the pool and its model for the same, whatever comes, and resolves to how many commands that were.
 * @throws Error with the counterexample when they disagree; AssertionError when too little was asked to say so
 */
export async function agree(
  under: PoolUnderTest,
  { mix, seed, endOnFailure = false, patienceMs = usualPatienceMs }: AgreementOptions,
): Promise<number> {
  const tally = new Tally();
  const property = fc.asyncProperty(commandsOf(mix, maxCommands), async (commands) => {
    await under.redis.flushall();
    const driver = new Driver(under);
    await driver.greet();
    for (const command of commands) {
      await runCommand(driver, command);
      tally.note(command.do, driver.wasRefused);
    }
    await compareAll(under, driver.model);
  });
  await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: patienceMs, endOnFailure });
  assert.ok(tally.count >= leastCommands, `${tally.count} commands, which is less than ${leastCommands}`);
  assert.deepEqual(tally.neverAnswered(mix), [], "every kind of command was answered at least once");
  return tally.count;
}

/** How many commands were really done, and which were ever answered: one that is always refused proves nothing. */
class Tally {
  count = 0;
  readonly #answered = new Set<string>();

  note(kind: string, wasRefused: boolean): void {
    this.count++;
    if (!wasRefused) this.#answered.add(kind);
  }

  neverAnswered(mix: Mix): string[] {
    return Object.keys(mix).filter((kind) => !this.#answered.has(kind));
  }
}
