import { readFileSync } from "node:fs";

/** The transitions, each a file of its own, in an order in which each comes behind the functions that it uses. */
export const transitionNames = [
  "launch",
  "launch-sub-job",
  "claim",
  "check-in",
  "succeed",
  "fail",
  "confirm",
  "release",
  "stop",
  "retry",
  "promote",
  "reap",
  "hello",
  "beat",
  "disconnect",
  "leave",
  "update-worker",
  "read",
  "append-log",
  "read-log",
  "put-report",
] as const;

/** The name of an operation, which is that of its file. */
export type TransitionName = (typeof transitionNames)[number];

/** How many of a shard's keys are handed over by name; the others are made from their prefix. */
export const keyCount = 5;

/** The one script: prelude, transitions, dispatch. */
export function readScript(): string {
  return ["prelude", ...transitionNames, "dispatch"]
    .map((name) => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), "utf8"))
    .join("\n");
}
