import { readFileSync } from "node:fs";

/** What the transitions share, in an order in which each comes behind what it uses; so do the transitions. */
export const sharedParts = [
  "prelude",
  "record",
  "hooks",
  "index",
  "lanes",
  "turns",
  "due",
  "limits",
  "holding",
] as const;

/** The transitions, each a file of its own. */
export const transitionNames = [
  "launch",
  "launch-sub-job",
  "claim",
  "running",
  "take-turn",
  "end-turn",
  "check-in",
  "succeed",
  "fail",
  "postpone",
  "confirm",
  "release",
  "stop",
  "retry",
  "promote",
  "end-sub-jobs",
  "due-periodic",
  "fire",
  "pause-schedule",
  "expire",
  "sweep",
  "reap",
  "grant",
  "hello",
  "beat",
  "disconnect",
  "leave",
  "update-worker",
  "read",
  "list",
  "pause",
  "drain",
  "queue-state",
  "append-log",
  "read-log",
  "put-report",
  "due-hooks",
  "settle-hook",
  "redeliver-hook",
] as const;

/** The name of an operation, which is that of its file. */
export type TransitionName = (typeof transitionNames)[number];

/** How many of a shard's keys are handed over by name; the others are made from their prefix. */
export const keyCount = 5;

/** The one script: shared parts, transitions, dispatch. */
export function readScript(): string {
  return [...sharedParts, ...transitionNames, "dispatch"]
    .map((name) => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), "utf8"))
    .join("\n");
}
