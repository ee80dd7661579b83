import type { Mix } from "./commands.ts";

/** All that can be asked. */
export const everything: Mix = {
  ...{ launch: 16, launchSubJob: 3, end: 5, retry: 5, pause: 1, drain: 1 },
  ...{
    hello: 6,
    beat: 9,
    disconnect: 1,
    takeBack: 1,
    leave: 1,
    startDraining: 1,
    closeType: 2,
    drainWorker: 1,
    claim: 26,
  },
  ...{ checkIn: 2, succeed: 3, fail: 6, postpone: 2, refuse: 4, confirm: 1, release: 2 },
  ...{ launchPeriodic: 4, fire: 4, pauseSchedule: 3, resumeSchedule: 2 },
  ...{ saveCheckpoint: 3, readCheckpoint: 3 },
  ...{ appendLog: 5, readLog: 2, putReport: 4, tellHooks: 5, settleHook: 9, redeliver: 2 },
  ...{ promote: 6, reap: 2, expire: 2, expireClosed: 1, endSubJobs: 2, sweep: 3, wait: 6 },
};

/** Few jobs, and workers that come and go. */
export const losses: Mix = {
  ...{ launch: 1, end: 1, retry: 4, claim: 22, beat: 1, hello: 14 },
  ...{ disconnect: 3, takeBack: 1, leave: 1, startDraining: 2, drainWorker: 2 },
  ...{ fail: 1, promote: 2, reap: 6, wait: 6 },
};

/** Jobs that workers may not do. */
export const refusals: Mix = {
  ...{ launch: 6, end: 1, retry: 2, claim: 24, refuse: 16, succeed: 1, fail: 1, postpone: 1, release: 1, promote: 2 },
  ...{ hello: 2, beat: 8, leave: 1, startDraining: 2, closeType: 2, reap: 2, drain: 1, wait: 5 },
};

/** Stops and cancels of what runs. */
export const endings: Mix = {
  ...{ launch: 4, launchSubJob: 4, end: 10, retry: 3, endSubJobs: 4, claim: 18, beat: 10, hello: 5, reap: 3 },
  ...{ confirm: 4, succeed: 1, fail: 1, postpone: 1, release: 1, promote: 1, wait: 8 },
  ...{ saveCheckpoint: 4, readCheckpoint: 4 },
};

/** Queues that are drained while jobs come and go. */
export const drains: Mix = {
  ...{ launch: 24, drain: 14, claim: 8, release: 5, end: 4, retry: 4, hello: 2, beat: 2, fail: 3, promote: 4 },
  ...{ disconnect: 1, reap: 1, expire: 1, wait: 6 },
};

/** Periodic jobs, and what becomes of what they launch. */
export const schedules: Mix = {
  ...{ launch: 1, launchPeriodic: 4, fire: 16, pauseSchedule: 2, resumeSchedule: 3, end: 4, endSubJobs: 4, retry: 8 },
  ...{ hello: 1, beat: 3, claim: 12, succeed: 6, fail: 2, release: 1, promote: 3, reap: 2, sweep: 2, wait: 16 },
};

/** Status hooks, logs and reports, while jobs run and end. */
export const tellings: Mix = {
  ...{ launch: 14, end: 3, retry: 6, hello: 3, beat: 4, claim: 16 },
  ...{ checkIn: 6, succeed: 4, fail: 3, promote: 2, sweep: 3 },
  ...{ appendLog: 12, readLog: 4, putReport: 5, tellHooks: 14, settleHook: 22, redeliver: 4, reap: 2, wait: 8 },
};

/** Launches, ends and retries alone: what comes next of several shards is free. */
export const launches: Mix = { launch: 20, launchPeriodic: 2, end: 8, retry: 6, promote: 2, expire: 2, wait: 3 };

/** Job types that workers close and open, and what becomes of the jobs that wait. */
export const closings: Mix = {
  ...{ launch: 16, closeType: 16, expireClosed: 12, claim: 6, release: 3, fail: 2, postpone: 1, refuse: 2, retry: 3 },
  ...{ promote: 3, pause: 1, drain: 1, hello: 2, beat: 10, startDraining: 1, leave: 1, reap: 2, wait: 12 },
};
