import { after, before, describe, type TestContext, test } from "node:test";
import { type PoolUnderTest, startPool } from "../support/pool.ts";
import { createRandom } from "../support/random.ts";
import { agree } from "./agreement.ts";
import type { Mix } from "./commands.ts";
import { closings, drains, endings, everything, launches, losses, refusals, schedules, tellings } from "./mixes.ts";

/** Lanes of several sections, and claims that go on behind lanes which are full, with few jobs. */
const constants = { MOST_IN_SECTION: 1, MOST_PASSED: 2 };

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
      context.diagnostic(`${await agree(ofPool(), { mix, seed })} commands`);
    };

  test("say the same, whatever is asked in whatever order", agreeOn(everything));
  test("say the same while workers come and go", agreeOn(losses));
  test("say the same while queues are drained, a part at a time", agreeOn(drains));
  test("say the same while periodic jobs launch others", agreeOn(schedules));
  test("say the same while hooks are told, logs are written and reports are stored", agreeOn(tellings));
  test("say the same while workers are refused for jobs", agreeOn(refusals));
  test("say the same while job types are closed for longer than jobs wait", agreeOn(closings));
  test("say the same while jobs are stopped and cancelled", agreeOn(endings));
  test(
    "say the same of requests and unique keys of four shards",
    agreeOn(launches, () => sharded),
  );
});
