import type { Clock } from "@drydock/shared/clock.ts";
import { type FieldViolation, fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import { isRefusedHost } from "@drydock/shared/refused-address.ts";
import { type Job, type LaunchOptions, type Lease, type NewJob, priorities, usualOptions } from "../domain/job.ts";
import { followingTime, type Schedule } from "../domain/schedule.ts";
import { shortHash, uniqueKeyOf } from "../domain/unique-key.ts";
import type { JobPool } from "../ports/job-pool.ts";
import { readCron } from "./cron.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobChanges } from "./job-changes.ts";
import type { JobTypes } from "./job-types.ts";
import type { PoolLimits } from "./pool-limits.ts";

/** The largest parameters, as bytes of JSON. */
const maxParametersBytes = 256 * 1024;

/** What a launch needs. */
export interface LaunchDeps {
  pool: JobPool;
  types: JobTypes;
  changes: JobChanges;
  dispatcher: Dispatcher;
  limits: PoolLimits;
  /** Whether status hooks may go to addresses of a link and of the services that tell a machine about itself. */
  allowLinkLocalHooks: boolean;
  clock: Clock;
}

/** What is to be launched; all but the parameters is checked already. */
export interface Launch {
  name: string;
  parameters: Record<string, unknown>;
  traceparent: string;
  /** How the caller names the job in its request. */
  field?: string;
  kind?: LaunchOptions["kind"];
  priority?: number;
  fairnessKey?: string;
  policy?: LaunchOptions["policy"];
  labels?: Record<string, string>;
  /** After now, in milliseconds. */
  delayMs?: number;
  /** Milliseconds since 1970. */
  runAt?: number;
  isUnique?: boolean;
  uniqueKey?: string;
  requestId?: string;
  /** Of a periodic job. */
  schedule?: Schedule | undefined;
  /** A sound http or https URL, or empty. */
  statusHook?: string;
}

/** Stores a job, once its parameters fit its type. */
export async function launchJob(deps: LaunchDeps, launch: Launch): Promise<Job> {
  const job = deps.pool.launch(await admitLaunch(deps, launch));
  // at once, so that a free worker's claim is in the same script call
  deps.dispatcher.wake(launch.name);
  return job;
}

/** Launches a job on behalf of a running one. When a unique one is alive already, that one is the answer. */
export async function launchSubJob(
  deps: LaunchDeps,
  parent: Lease,
  { key, ...launch }: Launch & { key: string },
): Promise<Job> {
  const child = await admitLaunch(deps, { fairnessKey: parent.jobId, field: "", ...launch });
  const launching = deps.pool.launchSubJob(parent, key, child);
  deps.dispatcher.wake(launch.name);
  const job = await launching.catch((error: unknown) => holderOf(deps.pool, error));
  deps.changes.changed(parent.jobId);
  return job;
}

/** The job to be stored, if it fits its type and there is room for it. */
async function admitLaunch(deps: LaunchDeps, launch: Launch): Promise<NewJob> {
  const job = await checkLaunch(deps, launch);
  await deps.limits.admit(job.parametersJson.length);
  return job;
}

/** The job to be stored, if it fits its type. */
export async function checkLaunch(deps: LaunchDeps, launch: Launch): Promise<NewJob> {
  const { types, clock, allowLinkLocalHooks: allowLinkLocal } = deps;
  const { name, parameters, traceparent, field = "job", statusHook = "" } = launch;
  const inField = (own: string) => (field === "" ? own : `${field}.${own}`);
  const known = await types.require(name, inField("name"));
  const parametersJson = JSON.stringify(parameters);
  const prefix = inField("parameters");
  const violations: FieldViolation[] = known
    .check(parameters)
    .map((violation) => ({ ...violation, field: `${prefix}${violation.field}` }));
  if (Buffer.byteLength(parametersJson) > maxParametersBytes) {
    violations.push({ field: prefix, description: `must not be larger than ${maxParametersBytes} bytes as JSON` });
  }
  if (statusHook !== "" && isRefusedHost(new URL(statusHook).hostname, { allowLinkLocal })) {
    violations.push({ field: `${field}.status_hook`, description: "names an address that is never called" });
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { name, parametersJson, traceparent, options: toOptions(launch, clock.now()) };
}

function toOptions(launch: Launch, now: number): LaunchOptions {
  const { kind = "GENERIC", priority = priorities.usual, fairnessKey = "", policy, labels = {} } = launch;
  const { delayMs = 0, runAt = 0, isUnique = false, requestId = "", schedule, statusHook = "" } = launch;
  const isUsual = kind === "GENERIC" && priority === priorities.usual && fairnessKey === "" && policy === undefined;
  if (isUsual && !isUnique && statusHook === "" && requestId === "" && Object.keys(labels).length === 0)
    return usualOptions;
  return {
    ...{ kind, priority, fairnessKey, policy, labels, schedule, statusHook },
    runAt: schedule === undefined ? runAt || (delayMs > 0 ? now + delayMs : 0) : firstTime(schedule, now),
    uniqueKey: isUnique ? uniqueKeyOf(launch.name, launch.uniqueKey ?? "", launch.parameters) : "",
    requestKey: requestId === "" ? "" : shortHash(requestId),
  };
}

function firstTime(schedule: Schedule, now: number): number {
  return followingTime(schedule, now, readCron(schedule.cronSpec, schedule.timeZone));
}

function holderOf(pool: JobPool, error: unknown): Promise<Job> {
  if (error instanceof ReasonedError && error.reason === "JOB_ALREADY_EXISTS") {
    return pool.get(error.facts.metadata?.job_id ?? "");
  }
  throw error;
}
