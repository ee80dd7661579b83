import { type ReportKeys, reportKeysOf } from "./reports/keys.ts";

/**
 * The keys of one shard that the code touches itself; the scripts make more, from the same prefix. All share the shard's
 * hash tag, so that one script may touch any of them in a Redis Cluster.
 */
export interface ShardKeys {
  /** HASH, version and number of shards of the pool, see pool-format.ts; in shard 0 only. */
  format: string;
  /** HASH, job id -> record and parameters. */
  jobs: string;
  /** ZSET, job id -> when it is due. */
  scheduled: string;
  /** HASH, worker id -> incarnation, session and what it says about itself. */
  workers: string;
  /** ZSET, worker id -> when its lease ends. */
  leases: string;
  /** HASH, job name and status -> how many. */
  counts: string;
  /** SET of the job types whose queue is paused. */
  paused: string;
  /** ZSET of the ids of the periodic jobs that have not ended, all with the score 0. */
  schedules: string;
  /** STREAM of the ids of all jobs, by launch. */
  index: string;
  /** STRING, how many jobs have an event that their hook has not been sent yet. */
  hookWaiting: string;
  /** HASH, job id -> failed tries of the event that its hook is sent next. */
  hookTries: string;
  /** ZSET of the ids of the jobs whose hook is retried, has failed or is gone, all with the score 0. */
  hookFailing: string;
  /** HASH, job name -> job type; in shard 0 only. */
  types: string;
  /** HASH, name -> policy for images as JSON; in shard 0 only. */
  policies: string;
  /** STRING, a number that grows with every change of policies and exceptions; in shard 0 only. */
  policiesVersion: string;
  /** HASH, id -> exception from policies as JSON; in shard 0 only. */
  exceptions: string;
  /** HASH, key of a finding -> when it was first found; in shard 0 only. */
  firstFound: string;
  /** HASH, job name with "launched" or "ended" -> how many in that minute since 1970. */
  rates(minute: number): string;
  /** Channel for what controllers tell each other. */
  signals: string;
  /** LIST of ids that wait at the front of a lane, the next one first. */
  ready(jobName: string, lane: string): string;
  /** HASH, job id -> token and open command. */
  held(workerId: string): string;
  /** HASH, key with which the job launched another -> that; the empty key is none. */
  subJobKeys(jobId: string): string;
  /** STRING, what names the report in a line, then its gzip. */
  report(reportId: string): string;
  /** STRING, what the indexes are made from, of a report that came after a newer one of its image. */
  lateReport(reportId: string): string;
  /** The keys of the report indexes. */
  reports: ReportKeys;
}

/** The keys of the shard; docs/redis-keys.md tells about each. */
export function keysOf(shard: number): ShardKeys {
  const prefix = `{drydock:${shard}}:`;
  return {
    format: `${prefix}format`,
    jobs: `${prefix}jobs`,
    scheduled: `${prefix}scheduled`,
    workers: `${prefix}workers`,
    leases: `${prefix}leases`,
    counts: `${prefix}counts`,
    paused: `${prefix}paused`,
    schedules: `${prefix}schedules`,
    index: `${prefix}index`,
    hookWaiting: `${prefix}hook-waiting`,
    hookTries: `${prefix}hook-tries`,
    hookFailing: `${prefix}hook-failing`,
    types: `${prefix}types`,
    policies: `${prefix}policies`,
    policiesVersion: `${prefix}policies-version`,
    exceptions: `${prefix}exceptions`,
    firstFound: `${prefix}first-found`,
    signals: `${prefix}signals`,
    rates: (minute) => `${prefix}rates:${minute}`,
    ready: (jobName, lane) => `${prefix}ready:${jobName}:${lane}`,
    held: (workerId) => `${prefix}held:${workerId}`,
    subJobKeys: (jobId) => `${prefix}sub-job-keys:${jobId}`,
    report: (reportId) => `${prefix}report:${reportId}`,
    lateReport: (reportId) => `${prefix}late-report:${reportId}`,
    reports: reportKeysOf(prefix),
  };
}
