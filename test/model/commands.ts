import type { JobCommand, JobPolicy } from "@drydock/job-controller/domain/job.ts";
import { type OverlapPolicy, overlapPolicies } from "@drydock/job-controller/domain/schedule.ts";
import type { ClaimableType } from "@drydock/job-controller/ports/job-pool.ts";
import fc from "fast-check";

/** The job types of the model. */
export const names = ["DEMO", "OTHER"] as const;
/** The workers of the model. */
export const workerIds = ["w1", "w2", "w3"] as const;

/** Which job a command is about: the nth of those that run, wait or have ended, or of all when there is none. */
export interface Target {
  among: "running" | "waiting" | "ended" | "periodic" | "any";
  nth: number;
  /** Whether an older token is named. */
  stale: boolean;
  /** Whether the process of another worker names it. */
  stranger: boolean;
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
  policy: Omit<JobPolicy, "runTimeoutMs"> | undefined;
  /** Where its status hook is, or empty. */
  statusHook: string;
  /** Whether there is no room for it. */
  isFull: boolean;
}

/** When a periodic job launches; its cron line is that of every other second. */
export interface ScheduleShape {
  overlap: OverlapPolicy;
  catchUpMs: number;
  /** How long it launches, in milliseconds; 0 is for ever. */
  lastsMs: number;
}

/** What a check-in or a result says of the run. */
export interface Note {
  text: string | undefined;
  percent: number | undefined;
}

/** Where a piece of a log begins: at the end of what is stored, before it, or beyond. */
export type LogPlace = "end" | "before" | "beyond";

/** Why a worker takes no jobs of a type: what they need is away, or it is not set up for them; or it takes them. */
export type Closing = "away" | "own fault" | "open";

/** What comes of a hook's delivery. */
export type HookOutcome = "delivered" | "retry" | "failed" | "gone";

/** Everything that the pool can be asked. */
export type Command =
  | { do: "launch"; shape: LaunchShape }
  | { do: "launchPeriodic"; shape: LaunchShape; schedule: ScheduleShape }
  | { do: "launchSubJob"; parent: Target; key: string; shape: LaunchShape }
  | { do: "end"; target: Target; command: JobCommand }
  | { do: "retry"; target: Target }
  | { do: "hello"; speaker: Speaker; process: "same" | "next"; naming: Naming }
  | { do: "beat"; speaker: Speaker; naming: Naming }
  | { do: "disconnect" | "takeBack"; speaker: Speaker; unaccepted: Naming }
  | { do: "leave" | "startDraining" | "drainWorker"; speaker: Speaker }
  | { do: "closeType"; speaker: Speaker; name: string; why: Closing; patienceMs: number | undefined }
  | { do: "claim"; speaker: Speaker; types: ClaimableType[]; limit: number }
  | { do: "checkIn" | "succeed"; target: Target; note: Note }
  | {
      do: "fail";
      target: Target;
      reason: string;
      retry: "never" | number;
      jitter: number;
      maxFails: number;
      note: Note;
    }
  | { do: "postpone"; target: Target; delayMs: number; jitter: number; patienceMs: number | undefined; note: Note }
  | { do: "refuse"; target: Target; patienceMs: number | undefined; note: Note }
  | { do: "confirm"; target: Target; command: JobCommand }
  | { do: "release"; target: Target }
  | { do: "promote" | "reap" | "expire" | "expireClosed" | "endSubJobs" | "fire" }
  | { do: "pauseSchedule" | "resumeSchedule"; target: Target }
  | { do: "sweep"; status: "STOPPED" | "CANCELLED" | "ERROR" | "SUCCESS"; keepMs: number }
  | { do: "pause"; name: string; pauses: boolean }
  | { do: "drain"; name: string; limit: number }
  | { do: "appendLog"; target: Target; place: LogPlace; text: string }
  | { do: "readLog"; target: Target; percent: number }
  | { do: "putReport"; target: Target; digest: string; text: string }
  | { do: "saveCheckpoint"; target: Target; text: string }
  | { do: "readCheckpoint"; target: Target }
  | { do: "tellHooks"; limit: number }
  | { do: "settleHook"; nth: number; outcome: HookOutcome }
  | { do: "redeliver"; target: Target }
  | { do: "wait"; ms: number };

/** The command of that kind. */
export type CommandOf<Kind extends Command["do"]> = Extract<Command, { do: Kind }>;

const name = fc.constantFrom(...names);
const reason = fc.constantFrom("HANDLER_ERROR", "BAD_INPUT");
const command = fc.constantFrom<JobCommand>("stop", "cancel");
const speaker = fc.record({ at: fc.nat(workerIds.length - 1), late: oneIn(12) });
const naming = fc.record({
  part: fc.constantFrom<Naming["part"]>("all", "all", "all", "all", "all", "all", "odd", "none"),
  foreign: oneIn(8),
});
const unaccepted = fc.record({
  part: fc.constantFrom<Naming["part"]>("all", "odd", "none"),
  foreign: oneIn(8),
});
const note = fc.record({ text: maybe(fc.constantFrom("half way", "nearly")), percent: maybe(fc.nat(100)) });
const jitter = fc.constantFrom(0, 0.25, 1, 1);
const patienceMs = fc.constantFrom(undefined, 0, 1_000, 15_000);
const policy = fc.record({
  maxAttempts: fc.nat(2),
  backoffBaseMs: fc.constantFrom(0, 3_000, 6_000),
  backoffCapMs: fc.constantFrom(0, 4_000),
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
  statusHook: fc.constantFrom("", "http://one.example/", "http://two.example/"),
  isFull: oneIn(8),
});
const schedule = fc.record({
  overlap: fc.constantFrom(...overlapPolicies),
  catchUpMs: fc.constantFrom(0, 1_000, 60_000),
  lastsMs: fc.constantFrom(0, 0, 5_000),
});
const periodic = target("periodic", "periodic", "periodic", "any");
const types = fc.uniqueArray(
  fc.record({ name, maxRunning: fc.constantFrom(0, 0, 1, 3), maxOfKey: fc.constantFrom(0, 0, 1, 2) }),
  {
    ...{ minLength: 1, maxLength: names.length },
    selector: (type) => type.name,
  },
);

function target(...among: Array<Target["among"]>) {
  return fc.record({ among: fc.constantFrom(...among), nth: fc.nat(50), stale: oneIn(8), stranger: oneIn(8) });
}

const running = target("running", "running", "running", "running", "running", "any");

function kind<Kind extends Command["do"], Rest>(what: Kind, rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> }) {
  return fc.record({ do: fc.constant(what), ...rest }) as unknown as fc.Arbitrary<Command>;
}

const arbitraries: Record<Command["do"], fc.Arbitrary<Command>> = {
  launch: kind("launch", { shape }),
  launchPeriodic: kind("launchPeriodic", { shape, schedule }),
  launchSubJob: kind("launchSubJob", { parent: running, key: fc.constantFrom("1", "2"), shape }),
  end: kind("end", { target: target("running", "running", "waiting", "periodic", "any"), command }),
  retry: kind("retry", { target: target("ended", "ended", "ended", "any") }),
  hello: kind("hello", { speaker, process: fc.constantFrom("same", "next"), naming }),
  beat: kind("beat", { speaker, naming }),
  disconnect: kind("disconnect", { speaker, unaccepted }),
  takeBack: kind("takeBack", { speaker, unaccepted }),
  leave: kind("leave", { speaker }),
  startDraining: kind("startDraining", { speaker }),
  drainWorker: kind("drainWorker", { speaker }),
  closeType: kind("closeType", {
    ...{ speaker, name, patienceMs },
    why: fc.constantFrom<Closing>("away", "away", "away", "away", "away", "away", "own fault", "open"),
  }),
  claim: kind("claim", { speaker, types, limit: fc.integer({ min: 1, max: 5 }) }),
  checkIn: kind("checkIn", { target: running, note }),
  succeed: kind("succeed", { target: running, note }),
  fail: failing(),
  postpone: kind("postpone", { target: running, delayMs: fc.constantFrom(0, 1_000), jitter, patienceMs, note }),
  refuse: kind("refuse", { target: running, patienceMs, note }),
  confirm: kind("confirm", { target: running, command }),
  release: kind("release", { target: running }),
  promote: kind("promote", {}),
  reap: kind("reap", {}),
  expire: kind("expire", {}),
  expireClosed: kind("expireClosed", {}),
  endSubJobs: kind("endSubJobs", {}),
  fire: kind("fire", {}),
  pauseSchedule: kind("pauseSchedule", { target: periodic }),
  resumeSchedule: kind("resumeSchedule", { target: periodic }),
  sweep: sweeping(),
  pause: kind("pause", { name, pauses: fc.constantFrom(true, false, false) }),
  drain: kind("drain", { name, limit: fc.integer({ min: 1, max: 6 }) }),
  appendLog: kind("appendLog", {
    target: running,
    place: fc.constantFrom<LogPlace>("end", "end", "end", "before", "beyond"),
    text: fc.constantFrom("a line\n", "eine Zeile für drei €\n"),
  }),
  readLog: kind("readLog", { target: target("running", "ended", "any"), percent: fc.nat(100) }),
  putReport: kind("putReport", {
    target: running,
    digest: fc.constantFrom("sha256:a", "sha256:b"),
    text: fc.constantFrom("clean", "not clean"),
  }),
  saveCheckpoint: kind("saveCheckpoint", { target: running, text: fc.constantFrom("page 1", "page 2", "") }),
  readCheckpoint: kind("readCheckpoint", { target: running }),
  tellHooks: kind("tellHooks", { limit: fc.integer({ min: 1, max: 6 }) }),
  settleHook: kind("settleHook", {
    nth: fc.nat(50),
    outcome: fc.constantFrom<HookOutcome>("delivered", "delivered", "delivered", "retry", "failed", "gone"),
  }),
  redeliver: kind("redeliver", { target: target("any", "ended") }),
  wait: kind("wait", { ms: fc.constantFrom(1, 1_000, 1_000, 1_000, 5_001, 15_000, 15_001, -500) }),
};

/** How much of each kind comes; what is left out does not come. */
export type Mix = Partial<Record<Command["do"], number>>;

/** A list of such commands, of up to so many. */
export function commandsOf(mix: Mix, maxLength: number): fc.Arbitrary<Command[]> {
  const kinds = Object.entries(mix) as Array<[Command["do"], number]>;
  const any = fc.oneof(...kinds.map(([what, weight]) => ({ weight, arbitrary: arbitraries[what] })));
  return fc.array(any, { minLength: 1, maxLength, size: "max" });
}

function failing() {
  const retry = fc.constantFrom<"never" | number>("never", 0, 1_000, 1_000, 5_000);
  return kind("fail", { target: running, reason, retry, jitter, maxFails: fc.integer({ min: 1, max: 3 }), note });
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
