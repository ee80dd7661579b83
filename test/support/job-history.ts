import { isDeepStrictEqual } from "node:util";
import { isFinal } from "@drydock/job-controller/domain/job-state.ts";
import { canReach, type History, type JobRecord, newestOf, type Sighting, type Standing } from "./history-record.ts";
import { faultsOfAttempts, faultsOfEnds, faultsOfLength, faultsOfRuns } from "./history-runs.ts";
import { faultsOfCheckpoints, faultsOfHook, faultsOfLog, faultsOfReport } from "./history-tellings.ts";

/** What cannot be, in sentences; empty when everything that must hold of any history holds of this one. */
export function checkHistory(history: History): string[] {
  const records = [...history.jobs.values()];
  if (records.length === 0) return ["nothing was seen"];
  const faults = records.flatMap((record) =>
    [
      ...faultsOfSightings(record),
      ...faultsOfEnd(record),
      ...faultsOfHook(record, history),
      ...faultsOfLog(record),
      ...faultsOfReport(record),
      ...faultsOfCheckpoints(record),
      ...faultsOfRuns(record, history),
      ...faultsOfAttempts(record, history),
      ...faultsOfEnds(record),
      ...faultsOfLength(record),
    ].map((fault) => `${record.id}: ${fault}`),
  );
  return [...faultsOfLaunches(history), ...faults, ...faultsOfUniqueKeys(records)];
}

/** Why a job cannot have gone from the one to the other; `before` is undefined before the launch. */
export function faultsOfStep(before: Standing | undefined, after: Standing): string[] {
  const { revision = 0, status = null, updatedAt = 0 } = before ?? {};
  if (after.revision < revision) return [`the revision went from ${revision} back to ${after.revision}`];
  if (before !== undefined && after.revision === revision) {
    const isSame = after.status === status && isDeepStrictEqual(after.facts, before.facts);
    return isSame
      ? []
      : [`changed, but not its revision ${revision}: ${standingText(before)} and ${standingText(after)}`];
  }
  const faults: string[] = [];
  if (!canReach(status, after.status, after.revision - revision)) {
    faults.push(`went from ${status} at revision ${revision} to ${after.status} at ${after.revision}`);
  }
  if (after.updatedAt < updatedAt) faults.push(`the time of its update went back by ${updatedAt - after.updatedAt} ms`);
  return faults;
}

function standingText({ status, facts }: Standing): string {
  return `${status} ${JSON.stringify(facts)}`;
}

/** Answered launches are there, each once, and nothing else is. */
function faultsOfLaunches({ launches, kept }: History): string[] {
  const faults: string[] = [];
  const answered = new Set([...launches.values()].flatMap((ids) => [...ids]));
  for (const [request, ids] of launches) {
    if (ids.size !== 1) faults.push(`request ${request} was answered with ${ids.size} jobs: ${[...ids]}`);
  }
  for (const id of answered) if (!kept.has(id)) faults.push(`${id}: its launch was answered, and it is lost`);
  for (const id of kept) if (!answered.has(id)) faults.push(`${id}: nobody was told of its launch`);
  return faults;
}

function faultsOfSightings({ sightings, watches, retries }: JobRecord): string[] {
  const faults = [...faultsOfTime(sightings), ...watches.flatMap(faultsOfWatch)];
  const steps = sightings.toSorted((a, b) => a.revision - b.revision);
  let restarts = 0;
  for (const [at, after] of steps.entries()) {
    const before = steps[at - 1];
    faults.push(...faultsOfStep(before, after), ...faultsOfProgress(before, after));
    if (before !== undefined && isFinal(before.status) && after.revision > before.revision) restarts++;
  }
  if (restarts > retries) faults.push(`left a final status ${restarts} times, with ${retries} times RetryJob`);
  return faults;
}

/** The progress of a run never decreases: else another process reports for it. */
function faultsOfProgress(before: Sighting | undefined, after: Sighting): string[] {
  const [then, now] = [before?.progress, after.progress];
  if (then === undefined || now === undefined || then.run !== now.run || now.percent >= then.percent) return [];
  return [`its run went from ${then.percent} % back to ${now.percent} % at revision ${after.revision}`];
}

/** A read that begins after another one ended gives the same revision or a newer one. */
function faultsOfTime(sightings: Sighting[]): string[] {
  const bySeen = sightings.toSorted((a, b) => a.seenAt - b.seenAt);
  const byAsked = sightings.toSorted((a, b) => a.askedAt - b.askedAt);
  const faults: string[] = [];
  let [newest, at] = [0, 0];
  for (const { askedAt, revision } of byAsked) {
    for (let seen = bySeen[at]; seen !== undefined && seen.seenAt < askedAt; seen = bySeen[++at]) {
      newest = Math.max(newest, seen.revision);
    }
    if (revision < newest) faults.push(`was seen at revision ${newest}, and then at ${revision}`);
  }
  return faults;
}

function faultsOfWatch(revisions: number[]): string[] {
  return revisions.flatMap((revision, at) => {
    const before = revisions[at - 1] ?? 0;
    return revision > before ? [] : [`a watch told of revision ${before}, and then of ${revision}`];
  });
}

function faultsOfEnd({ sightings }: JobRecord): string[] {
  const last = newestOf(sightings);
  return last !== undefined && isFinal(last.status) ? [] : [`has not ended: ${last?.status ?? "never seen"}`];
}

/** Of one unique key one job is alive at a time. */
function faultsOfUniqueKeys(records: JobRecord[]): string[] {
  const lives = records.filter(({ uniqueKey }) => uniqueKey !== "").map(lifeOf);
  return lives.flatMap((one, at) =>
    lives
      .slice(at + 1)
      .filter((other) => other.uniqueKey === one.uniqueKey && other.from < one.to && one.from < other.to)
      .map((other) => `${one.id} and ${other.id} were alive at once with the unique key ${one.uniqueKey}`),
  );
}

/** From when to when it was alive for certain. */
function lifeOf({ id, uniqueKey, sightings }: JobRecord) {
  const alive = sightings.filter(({ status }) => !isFinal(status));
  const from = Math.min(...alive.map(({ seenAt }) => seenAt));
  return { id, uniqueKey, from, to: Math.max(from, ...alive.map(({ askedAt }) => askedAt)) };
}
