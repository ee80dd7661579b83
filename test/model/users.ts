import { type JobCommand, type Lease, type NewJob, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { finish, type ModelJob, type ModelPool, newModelJob, refuse, statusAfter } from "./state.ts";

/** Stores a job under that id, or gives the one that the same request launched before. */
export function launch(pool: ModelPool, id: string, job: NewJob, upstreamJobId = ""): ModelJob {
  const { options = usualOptions } = job;
  const before = pool.jobs.get(pool.requests.get(options.requestKey) ?? "");
  if (options.requestKey !== "" && before !== undefined) return before;
  keepUnique(pool, id, options.uniqueKey);
  const made = { ...newModelJob(id, pool.now, { ...job, options }), upstreamJobId };
  if (options.runAt > pool.now) Object.assign(made, { status: "SCHEDULED", runAt: options.runAt });
  else made.turn = pool.newBack();
  waitForFirstRun(pool, made);
  if (options.requestKey !== "") pool.requests.set(options.requestKey, id);
  pool.jobs.set(id, made);
  return made;
}

/** Stores a job for one that runs, once for each key while the job is kept. */
export function launchSubJob(
  pool: ModelPool,
  parentLease: Lease,
  key: string,
  child: { id: string; job: NewJob },
): ModelJob {
  const parent = pool.find(parentLease.jobId);
  if (parent.status !== "RUNNING" || parent.token !== parentLease.token) refuse("LEASE_LOST");
  const known = pool.subJobs.get(`${parent.id} ${key}`);
  if (known !== undefined && pool.jobs.has(known)) return pool.find(known);
  const made = launch(pool, child.id, child.job, parent.id);
  pool.subJobs.set(`${parent.id} ${key}`, made.id);
  parent.executions.push(made.id);
  return made;
}

/** Ends a waiting job; of a running one notes the command. A stop is stronger than a cancel. */
export function end(pool: ModelPool, id: string, command: JobCommand): ModelJob {
  const job = pool.find(id);
  if (job.status === "RUNNING") {
    if (job.command !== "stop" && job.command !== command) Object.assign(job, { command, commandAt: pool.now });
  } else if (job.status === "PENDING" || job.status === "SCHEDULED") {
    finish(pool, job, statusAfter(command));
  } else if (job.status !== statusAfter(command)) {
    refuse("JOB_STATUS_FORBIDS");
  }
  return job;
}

/** Brings a job back; its attempts count anew. */
export function retry(pool: ModelPool, id: string): ModelJob {
  const job = pool.find(id);
  if (job.status !== "CANCELLED" && job.status !== "ERROR") refuse("JOB_STATUS_FORBIDS");
  keepUnique(pool, id, job.uniqueKey);
  job.token++;
  Object.assign(job, { status: "PENDING", attempt: 0, crashes: 0, startedAt: 0, endedAt: 0 });
  Object.assign(job, { checkIn: "", checkInAt: 0, progress: undefined });
  Object.assign(job, { turn: pool.newBack(), mayComeEarly: job.mayComeEarly || job.leftPlace });
  waitForFirstRun(pool, job);
  return job;
}

/** Only one job of a unique key lives. */
function keepUnique(pool: ModelPool, id: string, uniqueKey: string): void {
  if (uniqueKey === "") return;
  const alive = pool.inStatus("SCHEDULED", "PENDING", "RUNNING");
  const holder = alive.find((job) => job.uniqueKey === uniqueKey && job.id !== id);
  if (holder !== undefined) refuse("JOB_ALREADY_EXISTS", holder.id);
}

/** The wait counts from the launch or the retry. */
function waitForFirstRun(pool: ModelPool, job: ModelJob): void {
  const longest = job.policy?.queueTimeoutMs ?? 0;
  job.expiresAt = longest > 0 ? pool.now + longest : 0;
}
