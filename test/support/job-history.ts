import { isDeepStrictEqual } from "node:util";
import { isFinal, type JobStatus, transitions } from "@drydock/job-controller/domain/job-state.ts";

/** How much shorter than said the waits of a run may be together. */
const timerErrorMs = 100;

/** How a job stood at one revision. */
export interface Standing {
  revision: number;
  status: JobStatus;
  /** Milliseconds since 1970. */
  updatedAt: number;
  /** What changes only together with the revision. */
  facts: Record<string, unknown>;
}

/** A job as somebody saw it, by the clock of whoever looked: asked for then, and there then. */
export interface Sighting extends Standing {
  askedAt: number;
  seenAt: number;
  /** What the present run has said of itself: the run by its start, and the percent. */
  progress: { run: number; percent: number } | undefined;
}

/** What a status hook was told. */
export interface Delivery {
  /** The revision in its webhook-id. */
  sequence: number;
  status: JobStatus;
  arrivedAt: number;
  /** Whether the receiver took it. */
  isTaken: boolean;
}

/** A run as the job's log tells of it. */
export interface LoggedRun {
  attempt: number;
  /** Whether the handler came to its end. */
  isDone: boolean;
}

/** All that was seen of one job. */
export interface JobRecord {
  id: string;
  sightings: Sighting[];
  /** The revisions that each watch told, in its order, over all its connections. */
  watches: number[][];
  /** How often RetryJob was asked for, answered or not. */
  retries: number;
  /** In the order of their arrival. */
  deliveries: Delivery[];
  /** Whether it has a status hook. */
  hasHook: boolean;
  /** In the order of the log; undefined when the log was not read. */
  runs: LoggedRun[] | undefined;
  /** What makes it the same job as another one, or empty. */
  uniqueKey: string;
  /** How long a run that succeeds takes at least, in milliseconds; 0 when it is not known. */
  leastRunMs: number;
}

/** All that was seen of a pool, from the first launch until nothing moved any more. */
export interface History {
  jobs: Map<string, JobRecord>;
  /** Request id -> the ids of the jobs that LaunchJob answered with. */
  launches: Map<string, Set<string>>;
  /** The jobs that the pool has at the end and no other job launched. */
  kept: Set<string>;
  /** When a controller was killed, by the clock of the sightings. */
  controllerLosses: number[];
  /** Whether workers were killed or silenced, so that healthy jobs may have run again. */
  hasWorkerLosses: boolean;
  /** Whether Redis was away, so that the lines of a run are missing that failed meanwhile and was soon tried again. */
  hasRedisLosses: boolean;
}

/** What cannot be, in sentences; empty when everything that must hold of any history holds of this one. */
export function checkHistory(history: History): string[] {
  const records = [...history.jobs.values()];
  const faults = records.flatMap((record) =>
    [
      ...faultsOfSightings(record),
      ...faultsOfEnd(record),
      ...faultsOfHook(record, history),
      ...faultsOfRuns(record, history),
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
    return isSame ? [] : [`changed, but not its revision ${revision}: ${told(before)} and ${told(after)}`];
  }
  const faults: string[] = [];
  if (!canReach(status, after.status, after.revision - revision)) {
    faults.push(`went from ${status} at revision ${revision} to ${after.status} at ${after.revision}`);
  }
  if (after.updatedAt < updatedAt) faults.push(`the time of its update went back by ${updatedAt - after.updatedAt} ms`);
  return faults;
}

/** Whether the table allows to come from the one to the other in at most so many changes. */
function canReach(from: JobStatus | null, to: JobStatus, changes: number): boolean {
  let reached = new Set<JobStatus | null>([from]);
  for (let i = 0; i < changes && !reached.has(to); i++) {
    const next = transitions.filter((row) => reached.has(row.from)).map((row) => row.to);
    if (next.every((status) => reached.has(status))) break;
    reached = new Set([...reached, ...next]);
  }
  return reached.has(to);
}

function told({ status, facts }: Standing): string {
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

/** A run that goes back has somebody else speaking for it. */
function faultsOfProgress(before: Sighting | undefined, after: Sighting): string[] {
  const [then, now] = [before?.progress, after.progress];
  if (then === undefined || now === undefined || then.run !== now.run || now.percent >= then.percent) return [];
  return [`its run went from ${then.percent} % back to ${now.percent} % at revision ${after.revision}`];
}

/** Whoever asks after something was seen sees that or something newer. */
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

/** A hook is told each change once, in order; again only what was not taken, or of which its controller died. */
function faultsOfHook({ deliveries, hasHook, sightings }: JobRecord, history: History): string[] {
  if (!hasHook) return deliveries.length === 0 ? [] : ["told a hook that it does not have"];
  const steps = deliveries.flatMap((delivery, at) => faultsOfDelivery(deliveries[at - 1], delivery, history));
  return [...steps, ...faultsOfTold(deliveries, sightings)];
}

function faultsOfDelivery(before: Delivery | undefined, after: Delivery, history: History): string[] {
  const { sequence, status } = after;
  if (before !== undefined && sequence < before.sequence) {
    return [`told its hook of ${before.sequence}, and then of ${sequence}`];
  }
  if (sequence === before?.sequence) {
    // the request may have been under way when the controller died
    const mayRepeat = (lostAt: number) => lostAt > before.arrivedAt - 1_000 && lostAt < after.arrivedAt;
    if (!before.isTaken || history.controllerLosses.some(mayRepeat)) return [];
    return [`told its hook of ${sequence} again, after it was taken`];
  }
  if (canReach(before?.status ?? null, status, 1)) return [];
  return [`told its hook of ${status} right after ${before?.status ?? "nothing"}`];
}

/** What a hook was told is what others saw, and no end is missing. */
function faultsOfTold(deliveries: Delivery[], sightings: Sighting[]): string[] {
  const taken = new Map(deliveries.filter(({ isTaken }) => isTaken).map(({ sequence, status }) => [sequence, status]));
  const seen = new Map(sightings.map(({ revision, status }) => [revision, status]));
  const faults: string[] = [];
  for (const { sequence, status } of deliveries) {
    const other = seen.get(sequence) ?? status;
    if (other !== status) faults.push(`told its hook of ${status} at ${sequence}, and was ${other}`);
  }
  for (const [revision, status] of seen) {
    if (isFinal(status) && !taken.has(revision)) faults.push(`its hook does not know of ${status} at ${revision}`);
  }
  return faults;
}

/** What was healthy ran once for each attempt, and what succeeded came to its end. */
function faultsOfRuns({ runs, sightings, retries }: JobRecord, history: History): string[] {
  if (runs === undefined) return [];
  const faults: string[] = [];
  let [before, restarts] = [0, 0];
  for (const { attempt } of runs) {
    if (before > 0 && attempt === 1 && restarts < retries) restarts++;
    else if (!mayFollow(before, attempt, history)) faults.push(`ran attempt ${attempt} after attempt ${before}`);
    before = attempt;
  }
  const isSuccess = newestOf(sightings)?.status === "SUCCESS";
  return isSuccess && runs.at(-1)?.isDone !== true ? [...faults, "is a SUCCESS that did not come to its end"] : faults;
}

/** A success that came sooner than a run can is not that of the run that it is noted for. */
function faultsOfLength({ leastRunMs, sightings }: JobRecord): string[] {
  const { status, facts: { startTime, endTime } = {} } = newestOf(sightings) ?? {};
  if (status !== "SUCCESS" || !(startTime instanceof Date && endTime instanceof Date)) return [];
  const tookMs = endTime.getTime() - startTime.getTime();
  if (tookMs >= leastRunMs - timerErrorMs) return [];
  return [`is a SUCCESS ${tookMs} ms after its start, and takes ${leastRunMs} ms`];
}

function mayFollow(before: number, attempt: number, { hasWorkerLosses, hasRedisLosses }: History): boolean {
  if (attempt === before) return before > 0 && hasWorkerLosses;
  return attempt === before + 1 || (attempt > before && hasRedisLosses);
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

function newestOf(sightings: Sighting[]): Sighting | undefined {
  return sightings.toSorted((a, b) => a.revision - b.revision).at(-1);
}
