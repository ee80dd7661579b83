import type { Clock } from "@drydock/shared/clock.ts";
import { type FieldViolation, fieldsInvalid, type ReasonedError } from "@drydock/shared/errors.ts";
import { isRefusedHost } from "@drydock/shared/refused-address.ts";
import { type HeldLease, type Job, type LaunchOptions, type NewJob, priorities, usualOptions } from "../domain/job.ts";
import type { JobType } from "../domain/job-type.ts";
import { toParametersJson } from "../domain/parameters-json.ts";
import { followingTime, type Schedule } from "../domain/schedule.ts";
import { shortHash, singletonKeyOf, uniqueKeyOf } from "../domain/unique-key.ts";
import type { JobPool } from "../ports/job-pool.ts";
import { readCron } from "./cron.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobChanges } from "./job-changes.ts";
import type { JobTypes, KnownJobType } from "./job-types.ts";
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
  /** Whether status hooks may go to link-local addresses and to the metadata services of clouds. */
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

/** A launch, and what its type asks for. */
interface TypedLaunch extends Launch {
  type: JobType;
}

/** Stores the job, or throws the refusal if it is not stored already. */
type StoreJob = (job: NewJob, refusal?: ReasonedError) => Promise<Job>;

/**
 * Stores a job, once its parameters fit its type, if there is room for it; a request is answered again also without. Without
 * a wait when the type is known and its check is short: then Redis works on the first launches of a call while the others
 * are checked.
 */
export async function launchJob(deps: LaunchDeps, launch: Launch): Promise<Job> {
  const known = deps.types.known(launch.name);
  const checked = known === undefined ? checkLaunch(deps, launch) : checkWith(known, deps, launch);
  const job = checked instanceof Promise ? await checked : checked;
  return store(deps, job, (job, refusal) => deps.pool.launch(job, refusal));
}

/** Launches a job on behalf of a running one. When a unique one is alive already, that one is the answer. */
export async function launchSubJob(
  deps: LaunchDeps,
  parent: HeldLease,
  { key, ...launch }: Launch & { key: string },
): Promise<Job> {
  const child = await checkLaunch(deps, { field: "", ...launch });
  const job = await store(deps, child, (child, refusal) => deps.pool.launchSubJob(parent, key, child, refusal));
  deps.changes.changed(parent.jobId);
  return job;
}

function store({ limits, dispatcher }: LaunchDeps, job: NewJob, launch: StoreJob): Promise<Job> {
  return limits.admit(Buffer.byteLength(job.parametersJson), (refusal) => {
    const launching = launch(job, refusal);
    // at once, so that a free worker's claim is in the same script call
    if (refusal === undefined) dispatcher.wake(job.name);
    return launching;
  });
}

/** The job to be stored, if it fits its type. */
export async function checkLaunch(deps: LaunchDeps, launch: Launch): Promise<NewJob> {
  return checkWith(await deps.types.require(launch.name, fieldOf(launch, "name")), deps, launch);
}

function checkWith({ type, schema }: KnownJobType, deps: LaunchDeps, launch: Launch): NewJob | Promise<NewJob> {
  const { json: parametersJson, fault } = toParametersJson(launch.parameters);
  const prefix = fieldOf(launch, "parameters");
  if (Buffer.byteLength(parametersJson) > maxParametersBytes) {
    const description = `must not be larger than ${maxParametersBytes} bytes as JSON`;
    throw fieldsInvalid([{ field: prefix, description }]);
  }
  if (fault !== undefined) throw fieldsInvalid([{ field: `${prefix}${fault.path}`, description: fault.rule }]);
  const make = (violations: FieldViolation[]) => toNewJob(deps, { ...launch, type }, parametersJson, violations);
  const violations = schema.check(launch.parameters, parametersJson);
  return violations instanceof Promise ? violations.then(make) : make(violations);
}

/** The rule that a hook's host breaks; undefined when hooks may go there. */
function refusedHookRule(host: string, allowLinkLocal: boolean): string | undefined {
  if (!isRefusedHost(host, { allowLinkLocal })) return undefined;
  if (isRefusedHost(host, { allowLinkLocal: true })) {
    return `must not go to ${host}, an unspecified, multicast or reserved address`;
  }
  return `must not go to ${host}, a link-local address or a cloud's metadata service, unless the controller's DRYDOCK_HOOK_ALLOW_LINK_LOCAL is true`;
}

/** The job, if no rule is broken, those of its parameters included. */
function toNewJob(
  { clock, allowLinkLocalHooks: allowLinkLocal }: LaunchDeps,
  launch: TypedLaunch,
  parametersJson: string,
  ofParameters: FieldViolation[],
): NewJob {
  const { name, traceparent, field = "job", statusHook = "" } = launch;
  const prefix = fieldOf(launch, "parameters");
  const violations = ofParameters.map((violation) => ({ ...violation, field: `${prefix}${violation.field}` }));
  const hookRule = statusHook === "" ? undefined : refusedHookRule(new URL(statusHook).hostname, allowLinkLocal);
  if (hookRule !== undefined) violations.push({ field: `${field}.status_hook`, description: hookRule });
  const options = toOptions(launch, clock.now());
  if (launch.schedule !== undefined && options.runAt === 0) {
    const description = "must leave a time of cron_spec after now and start_time";
    violations.push({ field: fieldOf(launch, "metadata.periodic.end_time"), description });
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { name, parametersJson, traceparent, options };
}

function fieldOf({ field = "job" }: Launch, own: string): string {
  return field === "" ? own : `${field}.${own}`;
}

/** Of a singleton type all jobs have one key; its periodic jobs only launch them. */
function uniqueKeyIn({ type, kind, isUnique = false, uniqueKey = "", parameters }: TypedLaunch): string {
  if (type.isSingleton && kind !== "PERIODIC") return singletonKeyOf(type.name);
  return isUnique ? uniqueKeyOf(type.name, uniqueKey, parameters) : "";
}

function toOptions(launch: TypedLaunch, now: number): LaunchOptions {
  const { kind = "GENERIC", priority = priorities.usual, fairnessKey = "", policy, labels = {} } = launch;
  const { delayMs = 0, runAt = 0, requestId = "", schedule, statusHook = "" } = launch;
  const uniqueKey = uniqueKeyIn(launch);
  const isUsual = kind === "GENERIC" && priority === priorities.usual && fairnessKey === "" && policy === undefined;
  if (isUsual && uniqueKey === "" && statusHook === "" && requestId === "" && Object.keys(labels).length === 0)
    return usualOptions;
  return {
    ...{ kind, priority, fairnessKey, policy, labels, schedule, statusHook },
    runAt: schedule === undefined ? runAt || (delayMs > 0 ? now + delayMs : 0) : firstTime(schedule, now),
    uniqueKey,
    requestKey: requestId === "" ? "" : shortHash(requestId),
  };
}

function firstTime(schedule: Schedule, now: number): number {
  return followingTime(schedule, now, readCron(schedule.cronSpec, schedule.timeZone));
}
