import { readFileSync } from "node:fs";

/** What the transitions share, in an order in which each comes behind what it uses; so do the transitions. */
export const sharedParts = [
  "prelude",
  "record",
  "store",
  "attempt",
  "status",
  "hooks",
  "index",
  "sections",
  "lanes",
  "full-lanes",
  "turns",
  "due",
  "limits",
  "rates",
  "unique",
  "holding",
  "executions",
  "watch",
  "incarnations",
] as const;

/** The transitions, each a file of its own. */
export const transitionNames = [
  "launch",
  "withdraw-key",
  "reserve-key",
  "free-key",
  "due-keys",
  "launch-sub-job",
  "claim",
  "ranks",
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
  "hello",
  "beat",
  "disconnect",
  "leave",
  "update-worker",
  "drain-worker",
  "read",
  "list",
  "list-running",
  "pause",
  "drain",
  "queue-state",
  "append-log",
  "read-log",
  "put-report",
  "due-hooks",
  "settle-hook",
  "redeliver-hook",
  "failed-hooks",
] as const;

/** The name of an operation, which is that of its file. */
export type TransitionName = (typeof transitionNames)[number];

/** Those of a job's usual life. A script begins by making all its functions, so that one with few of them is quicker. */
export const frequentTransitions: ReadonlySet<TransitionName> = new Set([
  "launch",
  "claim",
  "ranks",
  "check-in",
  "succeed",
  "append-log",
]);

/** How many of a shard's keys are handed over by name; the others are made from their prefix. */
export const keyCount = 5;

/** Numbers of the scripts by their names, in capitals. */
export type Constants = Readonly<Record<string, number>>;

/** The script: shared parts, transitions, dispatch. Default: with all transitions, and every constant as it is written. */
export function readScript(isWanted: (name: TransitionName) => boolean = () => true, instead: Constants = {}): string {
  const lua = [...sharedParts, ...transitionNames.filter(isWanted), "dispatch"]
    .map((name) => readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), "utf8"))
    .join("\n");
  return withNumbers(lua, instead);
}

/** Writes the numbers of constants in place of their names: Lua would fetch each of them again and again. */
function withNumbers(lua: string, instead: Constants): string {
  const numbers = new Map<string, string>();
  const rest = lua.replace(
    /^local ([A-Z_]+(?:, [A-Z_]+)*) = (\d+(?:, \d+)*)$/gm,
    (_, names: string, values: string) => {
      const known = values.split(", ");
      for (const [at, name] of names.split(", ").entries()) numbers.set(name, String(instead[name] ?? known[at]));
      return "";
    },
  );
  return rest.replace(/"[^"\n]*"|--.*|\b[A-Z_]+\b/g, (word) => numbers.get(word) ?? word);
}
