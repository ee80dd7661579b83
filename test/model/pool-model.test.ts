import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import { type PoolUnderTest, startPool } from "../support/pool.ts";
import { createRandom } from "../support/random.ts";
import {
  commandsOf,
  drains,
  endings,
  everything,
  launches,
  losses,
  type Mix,
  schedules,
  tellings,
} from "./commands.ts";
import { compareAll } from "./compare-all.ts";
import { Driver } from "./driver.ts";
import { runCommand } from "./run-command.ts";

/** Each run is a history of its own, of up to so many commands; on average it is half of them. */
const numRuns = 60;
const mostCommands = 120;
/** Lanes of several sections, and claims that go on behind lanes which are full, with few jobs. */
const constants = { MOST_IN_SECTION: 1, MOST_PASSED: 2 };
/** An agreement on less than this, because the time was over, is none. */
const leastCommands = (numRuns * mostCommands) / 4;
/** A counterexample is made smaller no longer than this. */
const interruptAfterTimeLimit = 60_000;

describe("the pool and its model", () => {
  let single: PoolUnderTest;
  let sharded: PoolUnderTest;
  before(async () => {
    single = await startPool({ constants });
    sharded = await startPool({ shards: 4, constants });
  });
  after(async () => {
    await single.stop();
    await sharded.stop();
  });

  const agreeOn =
    (mix: Mix, ofPool: () => PoolUnderTest = () => single) =>
    async (context: TestContext) => {
      const { seed } = createRandom();
      context.diagnostic(`TEST_SEED=${seed}`);
      const tally = new Tally();
      const property = fc.asyncProperty(commandsOf(mix, mostCommands), async (commands) => {
        const under = ofPool();
        await under.redis.flushall();
        const driver = new Driver(under);
        await driver.greet();
        for (const command of commands) {
          await runCommand(driver, command);
          tally.note(command.do, driver.wasRefused);
        }
        await compareAll(under, driver.model);
      });
      await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit });
      context.diagnostic(`${tally.count} commands`);
      assert.ok(tally.count >= leastCommands, `${tally.count} commands, which is less than ${leastCommands}`);
      assert.deepEqual(tally.neverAnswered(mix), [], "every kind of command was answered at least once");
    };

  test("say the same, whatever is asked in whatever order", agreeOn(everything));
  test("say the same while workers come and go", agreeOn(losses));
  test("say the same while queues are drained, a part at a time", agreeOn(drains));
  test("say the same while periodic jobs launch others", agreeOn(schedules));
  test("say the same while hooks are told, logs are written and reports are stored", agreeOn(tellings));
  test("say the same while jobs are stopped and cancelled", agreeOn(endings));
  test(
    "say the same of requests and unique keys of four shards",
    agreeOn(launches, () => sharded),
  );
});

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
