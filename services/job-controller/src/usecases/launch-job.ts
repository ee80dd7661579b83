import type { Clock } from "@drydock/shared/clock.ts";
import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
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

/** Stores a job, once its parameters fit its type and there is room for it. */
export async function launchJob(deps: LaunchDeps, launch: Launch): Promise<Job> {
  return store(deps, await checkLaunch(deps, launch), (job) => deps.pool.launch(job));
}

/** Launches a job on behalf of a running one. When a unique one is alive already, that one is the answer. */
export async function launchSubJob(
  deps: LaunchDeps,
  parent: Lease,
  { key, ...launch }: Launch & { key: string },
): Promise<Job> {
  const child = await checkLaunch(deps, { fairnessKey: parent.jobId, field: "", ...launch });
  const job = await store(deps, child, () => deps.pool.launchSubJob(parent, key, child));
  deps.changes.changed(parent.jobId);
  return job;
}

function store({ limits, dispatcher }: LaunchDeps, job: NewJob, launch: (job: NewJob) => Promise<Job>): Promise<Job> {
  return limits.admit(Buffer.byteLength(job.parametersJson), () => {
    const launching = launch(job);
    // at once, so that a free worker's claim is in the same script call
    dispatcher.wake(job.name);
    return launching;
  });
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
  const options = toOptions(launch, clock.now());
  if (launch.schedule !== undefined && options.runAt === 0) {
    const description = "must leave a time of cron_spec after now and start_time";
    violations.push({ field: inField("metadata.periodic.end_time"), description });
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { name, parametersJson, traceparent, options };
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
