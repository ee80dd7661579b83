import { type Job, type NewJob, usualOptions } from "./job.ts";

/** A job as it stands right after its launch. */
export function newlyLaunched(id: string, now: number, upstreamJobId: string, job: NewJob): Job {
  const { name, parametersJson, traceparent, options = usualOptions } = job;
  const { kind, priority, fairnessKey, uniqueKey, policy, labels, schedule, statusHook } = options;
  const waits = options.runAt > now || kind === "PERIODIC";
  return {
    ...{
      id,
      name,
      kind,
      priority,
      fairnessKey,
      uniqueKey,
      policy,
      labels,
      schedule,
      periodicCounts: undefined,
      traceparent,
      upstreamJobId,
      parametersJson,
    },
    ...{ token: 0, attempt: 0, crashes: 0, revision: 1, command: undefined, workerId: "", checkIn: "", checkInAt: 0 },
    status: waits ? "SCHEDULED" : "PENDING",
    enqueuedAt: now,
    updatedAt: now,
    createdBy: "",
    scheduledFor: 0,
    postponedSince: 0,
    statusHook,
    hookStatus: statusHook === "" ? "NONE" : "PENDING",
    runAt: waits ? options.runAt : 0,
    startedAt: 0,
    endedAt: 0,
    progress: undefined,
    lastError: undefined,
    executions: [],
    executionTotals: {},
  };
}
