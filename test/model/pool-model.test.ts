import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { type PoolUnderTest, startPool } from "../support/pool.ts";
import { anyCommand } from "./commands.ts";
import { Driver } from "./driver.ts";
import { runCommand } from "./run-command.ts";

/** Each run is a history of its own, of up to so many commands; on average it is half of them. */
const numRuns = 80;
const mostCommands = 120;

describe("the pool and its model", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());

  test("say the same, whatever is asked in whatever order", async () => {
    const commands = fc.array(anyCommand, { minLength: 1, maxLength: mostCommands, size: "max" });
    const property = fc.asyncProperty(commands, async (list) => {
      await under.redis.flushall();
      const driver = new Driver(under);
      for (const command of list) await runCommand(driver, command);
      await driver.compareAll();
    });
    await fc.assert(property, { numRuns });
  });
});
