import { isFinal } from "@drydock/job-controller/domain/job-state.ts";
import { type History, inOrder, type JobRecord, type LoggedRun, livesOf, newestOf } from "./history-record.ts";

/** How much shorter than said the waits of a run may be together. */
const timerErrorMs = 100;

/** Attempts follow one another, and what was done is told step by step. */
export function faultsOfRuns(record: JobRecord, { hasRedisLosses }: History): string[] {
  const { runs = [] } = record;
  const faults = runs.flatMap(({ attempt }, at) => {
    const before = runs[at - 1]?.attempt ?? 0;
    // an attempt that ran before is looked at together with the job's crashes
    const mayFollow = attempt === before || attempt === before + 1 || attempt === 1;
    return mayFollow || (attempt > before && hasRedisLosses) ? [] : [`ran attempt ${attempt} after attempt ${before}`];
  });
  return [...faults, ...runs.filter(({ isDone }) => isDone).flatMap(faultsOfSteps), ...faultsOfSuccess(record)];
}

/** What succeeded came to its end, in the attempt that it counts. */
function faultsOfSuccess({ runs, sightings }: JobRecord): string[] {
  const { status, facts } = newestOf(sightings) ?? {};
  if (runs === undefined || status !== "SUCCESS") return [];
  const last = runs.at(-1);
  if (last?.isDone !== true) return ["is a SUCCESS that did not come to its end"];
  return last.attempt === facts?.attempt
    ? []
    : [`is a SUCCESS of attempt ${facts?.attempt}, and ran ${last.attempt} last`];
}

/** What was done is in the log: each step once, in order. */
function faultsOfSteps({ attempt, steps, stepCount }: LoggedRun): string[] {
  const isWhole = steps.length === stepCount && steps.every((step, at) => step === at + 1);
  return isWhole ? [] : [`its log tells of the steps ${steps} of ${stepCount} in attempt ${attempt}, which is done`];
}

/** An attempt runs again only after a crash of its worker or a RetryJob, and workers crash only if the test makes them. */
export function faultsOfAttempts({ runs, sightings, retries }: JobRecord, { hasWorkerLosses }: History): string[] {
  const lives = livesOf(sightings);
  const crashes = lives.reduce((sum, life) => sum + Number(life.at(-1)?.facts.crashes ?? 0), 0);
  if (crashes > 0 && !hasWorkerLosses) return [`counts ${crashes} crashes, and no worker was lost`];
  const repeats = runs?.filter(({ attempt }, at) => attempt <= (runs[at - 1]?.attempt ?? 0)).length ?? 0;
  // `retries` counts calls whose answers were lost as well, and the end before a retry may not have been seen
  if (repeats <= crashes + retries) return [];
  return [`ran an attempt again ${repeats} times, with ${crashes} crashes and ${retries} times RetryJob`];
}

/** After an answered stop or cancel no other run begins before the job has ended. */
export function faultsOfEnds({ ends, sightings }: JobRecord): string[] {
  const steps = inOrder(sightings);
  return ends.flatMap(({ revision, run }) => {
    const later = steps.filter((step) => step.revision > revision);
    const endsAt = later.findIndex(({ status }) => isFinal(status));
    const untilEnd = endsAt < 0 ? later : later.slice(0, endsAt);
    const other = untilEnd.find(({ status, facts }) => status === "RUNNING" && startOf(facts) !== run);
    return other ? [`began a run at revision ${other.revision}, after its end was acknowledged at ${revision}`] : [];
  });
}

function startOf({ startTime }: Record<string, unknown>): number | undefined {
  return startTime instanceof Date ? startTime.getTime() : undefined;
}

/** A success sooner than the shortest possible run belongs to another run. */
export function faultsOfLength({ leastRunMs, sightings }: JobRecord): string[] {
  const { status, facts: { startTime, endTime } = {} } = newestOf(sightings) ?? {};
  if (status !== "SUCCESS" || !(startTime instanceof Date && endTime instanceof Date)) return [];
  const tookMs = endTime.getTime() - startTime.getTime();
  if (tookMs >= leastRunMs - timerErrorMs) return [];
  return [`is a SUCCESS ${tookMs} ms after its start, and takes ${leastRunMs} ms`];
}
