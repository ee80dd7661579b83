import { test } from "node:test";
import { surviveLosses } from "../support/loss-rig.ts";
import { loseWorkers } from "../support/losses.ts";

test(
  "workers killed and silenced again and again under a mixed load lose nothing, and change nothing that they lost",
  {
    timeout: 200_000,
  },
  (context) => surviveLosses(context, loseWorkers),
);
