import type { JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import type { Delivery, History, JobRecord, LoggedRun, Sighting } from "./history-record.ts";
import { checkHistory } from "./job-history.ts";

/** A sighting at that moment, of a job that changes once in each. */
export function sighting(revision: number, status: JobStatus, more: Partial<Sighting> = {}): Sighting {
  const at = revision * 10;
  return {
    revision,
    status,
    askedAt: at,
    seenAt: at + 5,
    updatedAt: at,
    facts: { attempt: 1 },
    progress: undefined,
    ...more,
  };
}

/** A delivery, ten seconds after the one before, that was taken. */
export function delivery(sequence: number, status: JobStatus, more: Partial<Delivery> = {}): Delivery {
  return { sequence, status, arrivedAt: sequence * 10_000, isTaken: true, ...more };
}

/** A run of two steps. */
export function loggedRun(attempt: number, isDone: boolean): LoggedRun {
  return { attempt, steps: isDone ? [1, 2] : [1], stepCount: 2, isDone };
}

/** A job that failed, was retried and is done, with all that was seen of it. */
export function soundRecord(id = "a"): JobRecord {
  const statuses: JobStatus[] = ["PENDING", "RUNNING", "ERROR", "PENDING", "RUNNING", "SUCCESS"];
  return {
    id,
    sightings: statuses.map((status, at) => sighting(at + 1, status)),
    watches: [[1, 2, 6], [4]],
    retries: 1,
    deliveries: statuses.map((status, at) => delivery(at + 1, status)),
    hasHook: true,
    runs: [loggedRun(1, false), loggedRun(1, true)],
    ends: [],
    logReads: [{ offset: 0, text: "one\n", nextOffset: 4 }],
    log: "one\ntwo\n",
    report: { acknowledged: "r", found: "r" },
    checkpoints: [
      { kind: "read", text: "" },
      { kind: "asked", text: "1" },
      { kind: "saved", text: "1" },
      { kind: "read", text: "1" },
    ],
    uniqueKey: "",
    leastRunMs: 0,
  };
}

/** The history of a pool with those jobs. */
export function historyOf(...records: JobRecord[]): History {
  return {
    jobs: new Map(records.map((record) => [record.id, record])),
    launches: new Map(records.map(({ id }) => [`request of ${id}`, new Set([id])])),
    kept: new Set(records.map(({ id }) => id)),
    controllerLosses: [],
    hasWorkerLosses: false,
    hasRedisLosses: false,
  };
}

/** The faults of the sound history after a change. */
export function faultsAfter(change: (record: JobRecord, history: History) => void): string[] {
  const record = soundRecord();
  const history = historyOf(record);
  change(record, history);
  return checkHistory(history);
}
