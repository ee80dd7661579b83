import { test } from "node:test";
import { surviveLosses } from "../support/loss-rig.ts";
import { loseRedis } from "../support/losses.ts";

test(
  "Redis killed and silenced again and again under a mixed load loses nothing, and nothing healthy runs twice",
  {
    timeout: 110_000,
  },
  (context) => surviveLosses(context, loseRedis),
);
