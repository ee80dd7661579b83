import type { JobCommand } from "@drydock/job-controller/domain/job.ts";
import fc from "fast-check";

/** The job types of the model. */
export const names = ["DEMO", "OTHER"] as const;
/** The workers of the model. */
export const workerIds = ["w1", "w2", "w3"] as const;

/** Which job a command is about: the nth of those that run, wait or have ended, or of all when there is none. */
export interface Target {
  among: "running" | "waiting" | "ended" | "any";
  nth: number;
  /** Whether an older token is named. */
  stale: boolean;
}

/** Which worker speaks; one that is late speaks for the process and stream before. */
export interface Speaker {
  at: number;
  late: boolean;
}

/** What of its jobs the worker names, and whether it also names one that is not its own. */
export interface Naming {
  part: "all" | "none" | "odd";
  foreign: boolean;
}

/** What a launch says. */
export interface LaunchShape {
  name: string;
  delayMs: number;
  priority: number;
  fairnessKey: string;
  uniqueKey: string;
  requestKey: string;
  policy: { maxAttempts: number; finalReasons: string[]; queueTimeoutMs: number } | undefined;
}

/** What is said with a check-in or a result. */
export interface Said {
  text: string | undefined;
  percent: number | undefined;
}

/** Everything that the pool can be asked. */
export type Command =
  | { do: "launch"; shape: LaunchShape }
  | { do: "launchSubJob"; parent: Target; key: string; shape: LaunchShape }
  | { do: "end"; target: Target; command: JobCommand }
  | { do: "retry"; target: Target }
  | { do: "hello"; speaker: Speaker; process: "same" | "next"; naming: Naming }
  | { do: "beat"; speaker: Speaker; naming: Naming }
  | { do: "disconnect" | "leave"; speaker: Speaker }
  | { do: "claim"; speaker: Speaker; types: Array<{ name: string; most: number }>; limit: number }
  | { do: "checkIn" | "succeed"; target: Target; said: Said }
  | { do: "fail"; target: Target; reason: string; retry: "never" | number; maxFails: number; said: Said }
  | { do: "postpone"; target: Target; delayMs: number }
  | { do: "confirm"; target: Target; command: JobCommand }
  | { do: "release"; target: Target }
  | { do: "promote" | "reap" | "expire" | "endSubJobs" }
  | { do: "sweep"; status: "STOPPED" | "CANCELLED" | "ERROR" | "SUCCESS"; keepMs: number }
  | { do: "pause"; name: string; pauses: boolean }
  | { do: "drain"; name: string; limit: number }
  | { do: "wait"; ms: number };

/** The command of that kind. */
export type CommandOf<Kind extends Command["do"]> = Extract<Command, { do: Kind }>;

const name = fc.constantFrom(...names);
const reason = fc.constantFrom("HANDLER_ERROR", "BAD_INPUT");
const command = fc.constantFrom<JobCommand>("stop", "cancel");
const speaker = fc.record({ at: fc.nat(workerIds.length - 1), late: oneIn(12) });
const naming = fc.record({
  part: fc.constantFrom<Naming["part"]>("all", "all", "all", "all", "odd", "none"),
  foreign: oneIn(8),
});
const said = fc.record({ text: maybe(fc.constantFrom("half way", "nearly")), percent: maybe(fc.nat(100)) });
const policy = fc.record({
  maxAttempts: fc.nat(2),
  finalReasons: fc.constantFrom<string[]>([], ["BAD_INPUT"]),
  queueTimeoutMs: fc.constantFrom(0, 1_000, 6_000),
});
const shape = fc.record({
  name,
  delayMs: fc.constantFrom(0, 0, 0, 1_000, 5_000),
  priority: fc.constantFrom(5, 5, 5, 9, 0),
  fairnessKey: fc.constantFrom("", "a", "b"),
  uniqueKey: fc.constantFrom("", "", "", "k1", "k2"),
  requestKey: fc.constantFrom("", "", "", "r1", "r2"),
  policy: maybe(policy),
});
const types = fc.uniqueArray(fc.record({ name, most: fc.constantFrom(0, 0, 1, 3) }), {
  ...{ minLength: 1, maxLength: names.length },
  selector: (type) => type.name,
});

function target(...among: Array<Target["among"]>) {
  return fc.record({ among: fc.constantFrom(...among), nth: fc.nat(50), stale: oneIn(8) });
}

const running = target("running", "running", "running", "running", "running", "any");

function kind<Kind extends Command["do"], Rest>(what: Kind, rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> }) {
  return fc.record({ do: fc.constant(what), ...rest }) as unknown as fc.Arbitrary<Command>;
}

/** Any command; what the pool does most comes most. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 14, arbitrary: kind("launch", { shape }) },
  { weight: 16, arbitrary: kind("claim", { speaker, types, limit: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 9, arbitrary: kind("hello", { speaker, process: fc.constantFrom("same", "same", "next"), naming }) },
  { weight: 8, arbitrary: kind("beat", { speaker, naming }) },
  { weight: 3, arbitrary: kind("launchSubJob", { parent: running, key: fc.constantFrom("1", "2"), shape }) },
  { weight: 7, arbitrary: kind("end", { target: target("running", "waiting", "waiting", "any"), command }) },
  { weight: 5, arbitrary: kind("retry", { target: target("ended", "ended", "ended", "any") }) },
  { weight: 1, arbitrary: kind("disconnect", { speaker }) },
  { weight: 1, arbitrary: kind("leave", { speaker }) },
  { weight: 2, arbitrary: kind("checkIn", { target: running, said }) },
  { weight: 4, arbitrary: kind("succeed", { target: running, said }) },
  { weight: 6, arbitrary: failing() },
  { weight: 2, arbitrary: kind("postpone", { target: running, delayMs: fc.constantFrom(0, 1_000) }) },
  { weight: 2, arbitrary: kind("confirm", { target: running, command }) },
  { weight: 2, arbitrary: kind("release", { target: running }) },
  { weight: 4, arbitrary: kind("promote", {}) },
  { weight: 5, arbitrary: kind("reap", {}) },
  { weight: 2, arbitrary: kind("expire", {}) },
  { weight: 2, arbitrary: kind("endSubJobs", {}) },
  { weight: 2, arbitrary: sweeping() },
  { weight: 2, arbitrary: kind("pause", { name, pauses: fc.constantFrom(true, false, false) }) },
  { weight: 1, arbitrary: kind("drain", { name, limit: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 10, arbitrary: kind("wait", { ms: fc.constantFrom(1, 1_000, 1_000, 5_001, 15_000) }) },
);

function failing() {
  const retry = fc.constantFrom<"never" | number>("never", 0, 1_000, 1_000, 5_000);
  return kind("fail", { target: running, reason, retry, maxFails: fc.integer({ min: 1, max: 3 }), said });
}

function sweeping() {
  const status = fc.constantFrom("STOPPED", "CANCELLED", "ERROR", "SUCCESS");
  return kind("sweep", { status, keepMs: fc.constantFrom(0, 1_000, 6_000) });
}

function oneIn(count: number): fc.Arbitrary<boolean> {
  return fc.nat(count - 1).map((drawn) => drawn === count - 1);
}

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}
