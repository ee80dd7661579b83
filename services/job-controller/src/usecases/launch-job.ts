import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import type { Job, Lease, NewJob } from "../domain/job.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobChanges } from "./job-changes.ts";
import type { JobTypes } from "./job-types.ts";

/** The largest parameters, as bytes of JSON. */
const maxParametersBytes = 256 * 1024;

/** What a launch needs. */
export interface LaunchDeps {
  pool: JobPool;
  types: JobTypes;
  changes: JobChanges;
  dispatcher: Dispatcher;
}

/** What is to be launched, its name and size checked already. */
export interface Launch {
  name: string;
  parameters: Record<string, unknown>;
  traceparent: string;
}

/** Stores a job, once its parameters fit its type. */
export async function launchJob({ pool, types, dispatcher }: LaunchDeps, launch: Launch): Promise<Job> {
  const job = pool.launch(await toNewJob(types, launch, "job.parameters"));
  // at once, so that a free worker's claim is in the same script call
  dispatcher.wake(launch.name);
  return job;
}

/** Launches a job on behalf of a running one. */
export async function launchSubJob(
  { pool, types, changes, dispatcher }: LaunchDeps,
  parent: Lease,
  { key, ...launch }: Launch & { key: string },
): Promise<Job> {
  const job = await pool.launchSubJob(parent, key, await toNewJob(types, launch, "parameters"));
  dispatcher.wake(launch.name);
  changes.changed(parent.jobId);
  return job;
}

async function toNewJob(types: JobTypes, { name, parameters, traceparent }: Launch, field: string): Promise<NewJob> {
  const known = await types.require(name);
  const parametersJson = JSON.stringify(parameters);
  const violations = known.check(parameters).map((violation) => below(field, violation));
  if (Buffer.byteLength(parametersJson) > maxParametersBytes) {
    violations.push({ field, description: `must not be larger than ${maxParametersBytes} bytes as JSON` });
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { name, parametersJson, traceparent };
}

function below(field: string, violation: FieldViolation): FieldViolation {
  return { ...violation, field: `${field}${violation.field}` };
}
