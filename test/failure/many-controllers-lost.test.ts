import { test } from "node:test";
import { surviveLosses } from "../support/loss-rig.ts";
import { loseControllers } from "../support/losses.ts";

test(
  "controllers killed again and again under a mixed load lose nothing, and nothing healthy runs twice",
  {
    timeout: 200_000,
  },
  (context) => surviveLosses(context, loseControllers),
);
