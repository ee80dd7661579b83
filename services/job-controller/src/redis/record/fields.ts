import { jobKinds } from "../../domain/job.ts";
import { jobStatuses } from "../../domain/job-state.ts";
import { hookStatuses } from "../../domain/status-hook.ts";

/**
 * The version of the record's form, its first byte. It grows with each change of the fields or details below that older
 * controllers cannot read, and then poolVersion grows too. Records began with their status, 1 to 7, before they had a version; so the first one is 16.
 */
export const recordVersion = 16;

/** A field of the fixed part of a job's record. */
export interface RecordField {
  /** As scripts name it. */
  name: string;
  /**
   * Its form in Lua's struct library, big-endian: B, H, I3, I4 and I6 are numbers of one to six bytes, s is text ended by a
   * zero byte, Bc0 is bytes behind their count.
   */
  form: "B" | "H" | "I3" | "I4" | "I6" | "s" | "Bc0";
  /** Its description in docs/redis-keys.md. */
  meaning: string;
  /** Whether it is of use to scripts alone, so that replies leave it out. */
  internal?: true;
}

/** A detail of a job: absent from the record while all details are unset. */
export interface RecordDetail {
  name: string;
  /** Its type. An unset detail is "", 0, or false for a list. */
  type: "text" | "number" | "list";
  meaning: string;
  internal?: true;
}

/** The fixed part of a record behind its version, in its order. */
export const recordFields: readonly RecordField[] = [
  { name: "status", form: "B", meaning: "the status, by its number" },
  { name: "kind", form: "B", meaning: "the kind, by its number" },
  { name: "priority", form: "B", meaning: "from 1 to 9" },
  { name: "command", form: "B", meaning: "the open command, by its number; 0 is none" },
  { name: "crashes", form: "B", meaning: "how often its worker was lost" },
  { name: "parent", form: "B", meaning: "whether it launched jobs: 1 or 0", internal: true },
  {
    name: "limited",
    form: "B",
    meaning: "whether it is held and in `running:<job type>`: 1 or 0",
    internal: true,
  },
  { name: "hook_status", form: "B", meaning: "how the hook stands, by its number" },
  { name: "attempt", form: "H", meaning: "the attempt that runs or ran last, 0 before the first" },
  {
    name: "token",
    form: "I6",
    meaning:
      "the token: 0 before the first claim; with each claim, and when the job is given back, lost or retried, it becomes one greater, or the time if that is greater still",
  },
  { name: "revision", form: "I4", meaning: "grows with each change" },
  { name: "enqueued", form: "I6", meaning: "when it was launched" },
  { name: "updated", form: "I6", meaning: "when it last changed" },
  {
    name: "status_time",
    form: "I6",
    meaning:
      "the time that goes with its status: when it is due while it is SCHEDULED (of a periodic job, when it launches next), when it ended once its status is final; else 0",
  },
  { name: "started", form: "I6", meaning: "when its latest run began" },
  {
    name: "sequence",
    form: "H",
    meaning: "its sequence number in `index` within its millisecond; 65535 when `entry` says where it stands",
    internal: true,
  },
  { name: "end_sequence", form: "H", meaning: "the same in `ended:<status>`", internal: true },
  { name: "name", form: "s", meaning: "the job type" },
  { name: "upstream", form: "s", meaning: "the id of the job that launched it, or empty" },
  { name: "worker", form: "s", meaning: "the worker that runs it or ran it last" },
  { name: "fairness", form: "s", meaning: "the fairness key, or empty" },
  { name: "created_by", form: "s", meaning: "who launched it; empty until callers have names" },
  {
    name: "trace",
    form: "Bc0",
    meaning: "the W3C traceparent of its launch as 26 bytes: version, trace id, parent id, flags; or none",
    internal: true,
  },
  {
    name: "section",
    form: "I3",
    meaning:
      "while it waits, the section of its lane in which it was put: 0 the front; of one that has come to the front since, its former number; 16777215 in a lane of refused jobs, which has only a front",
    internal: true,
  },
  { name: "details_size", form: "I3", meaning: "how many bytes of details follow", internal: true },
];

/**
 * The details, in the order of their MessagePack array. A new one goes to the end, where records without it have none. A
 * controller that does not know it drops it when it changes a detail: if that must not be, raise recordVersion.
 */
export const recordDetails: readonly RecordDetail[] = [
  { name: "check_in", type: "text", meaning: "the last check-in's text" },
  { name: "check_in_at", type: "number", meaning: "when it came" },
  { name: "phase", type: "text", meaning: "the phase of the progress, empty when there is none" },
  { name: "percent", type: "number", meaning: "the percent of the progress" },
  { name: "error", type: "list", meaning: "the last failure: a list of reason, message, attempt and time, or false" },
  { name: "unique", type: "text", meaning: "the key of a unique job, hashed, or empty" },
  {
    name: "policy",
    type: "list",
    meaning:
      "a list of attempts, first and longest wait, time limit of a run, time limit of the wait, final reasons, each at the position of its number; or false",
  },
  { name: "labels", type: "text", meaning: "the labels as JSON, or empty" },
  { name: "schedule", type: "text", meaning: "of a periodic job: cron line, zone and policy as JSON; else empty" },
  { name: "hook", type: "text", meaning: "the URL of the status hook, or empty" },
  {
    name: "entry",
    type: "text",
    meaning:
      "the id of its entry in `index` when its controller's clock was behind, or the sequence number too great; else empty",
    internal: true,
  },
  { name: "end_entry", type: "text", meaning: "the same in `ended:<status>`", internal: true },
  { name: "request", type: "text", meaning: "the request id of its launch, hashed, or empty", internal: true },
  {
    name: "scheduled_for",
    type: "number",
    meaning: "of a job that a periodic job launched: the time of its cron line for which it runs; else 0",
  },
  {
    name: "postponed_since",
    type: "number",
    meaning:
      "when it was first postponed with a patience since a run of it ended in another way; else 0. A loss of its worker and a release end no run",
  },
  { name: "checkpoint", type: "number", meaning: "1 while it may have `checkpoint:<job id>`; else 0", internal: true },
];

/** The numbers that stand for words in records and scripts, by the name of their module. */
export const recordCodes = {
  statuses: numbered(jobStatuses, 1),
  kinds: numbered(jobKinds, 1),
  commands: numbered(["STOP", "CANCEL"], 1),
  "hook-statuses": numbered(hookStatuses, 0),
  // positions in the list of a policy
  "policy-parts": numbered(["ATTEMPTS", "BASE", "CAP", "RUN_LIMIT", "QUEUE_LIMIT", "FINAL_REASONS"], 1),
};

function numbered<T extends string>(words: readonly T[], first: number): Readonly<Record<T, number>> {
  return Object.fromEntries(words.map((word, at) => [word, first + at])) as Record<T, number>;
}
