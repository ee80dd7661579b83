import { type FieldViolation, fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import { JobKind, type JobRequest } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { GetReportRequest } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import type { Hello, JobType as JobTypeMessage } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { isJobId, jobIdRule } from "../domain/job-id.ts";
import { defaultMaxFails, type JobType, jobNamePattern, jobNameRule } from "../domain/job-type.ts";

const digestPattern = /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const workerIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** More would make one worker's lease a long script. */
const maxSlots = 1_000;

/** What a valid launch says. */
export interface ValidLaunch {
  name: string;
  parameters: Record<string, unknown>;
}

/** Checks a launch; its parameters are checked later, by the schema of its type. */
export function validateLaunch(job: JobRequest | undefined): ValidLaunch {
  if (job === undefined) throw fieldsInvalid([{ field: "job", description: "is missing" }]);
  const violations: FieldViolation[] = [];
  if (!jobNamePattern.test(job.name)) {
    violations.push({ field: "job.name", description: job.name === "" ? "is missing" : jobNameRule });
  }
  const kind = job.metadata?.kind ?? JobKind.JOB_KIND_UNSPECIFIED;
  if (kind !== JobKind.JOB_KIND_UNSPECIFIED && kind !== JobKind.JOB_KIND_GENERIC) {
    violations.push({ field: "job.metadata.kind", description: "must be JOB_KIND_GENERIC or left out" });
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { name: job.name, parameters: job.parameters ?? {} };
}

/** Checks a job's id. */
export function validateJobId(jobId: string): string {
  if (isJobId(jobId)) return jobId;
  throw fieldsInvalid([{ field: "job_id", description: jobId === "" ? "is missing" : jobIdRule }]);
}

/** Checks a number that must not be negative. */
export function validateCount(field: string, value: number): number {
  if (value >= 0) return value;
  throw fieldsInvalid([{ field, description: "must not be negative" }]);
}

/** Checks what a report is asked for by. */
export function validateReportSubject(request: GetReportRequest): { jobId: string } | { digest: string } {
  const { subject } = request;
  if (subject === undefined) {
    throw fieldsInvalid([{ field: "job_id", description: "or digest must be set" }]);
  }
  if (subject.$case === "jobId") return { jobId: validateJobId(subject.value) };
  return { digest: validateDigest(subject.value) };
}

/** Checks a digest. */
export function validateDigest(digest: string): string {
  if (digestPattern.test(digest)) return digest;
  throw fieldsInvalid([
    { field: "digest", description: "must be sha256: and 64, or sha512: and 128 lower-case hex digits" },
  ]);
}

/** A worker's Hello that is fit for use. */
export interface ValidHello {
  workerId: string;
  incarnation: string;
  version: string;
  slots: number;
  types: JobType[];
}

/** Checks a worker's Hello. */
export function validateHello(hello: Hello): ValidHello {
  const { workerId, incarnation, version, slots, jobTypes } = hello;
  const violations: FieldViolation[] = [];
  if (!workerIdPattern.test(workerId)) {
    const description = "must be at most 128 of A-Z, a-z, 0-9, dot, underscore and hyphen, a letter or digit first";
    violations.push({ field: "hello.worker_id", description });
  }
  if (!/^[A-Za-z0-9-]{1,64}$/.test(incarnation)) {
    violations.push({ field: "hello.incarnation", description: "must be at most 64 of A-Z, a-z, 0-9 and hyphen" });
  }
  if (slots < 0 || slots > maxSlots) violations.push({ field: "hello.slots", description: slotsRule });
  const types = jobTypes.map((type) => toJobType(type, violations));
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { workerId, incarnation, version: version.slice(0, 64), slots, types };
}

/** Checks a worker's new limit. */
export function validateSlots(slots: number): number {
  if (slots >= 0 && slots <= maxSlots) return slots;
  throw fieldsInvalid([{ field: "capacity.slots", description: slotsRule }]);
}

const slotsRule = `must be from 0 to ${maxSlots}`;

/** A message came that the protocol does not allow there. */
export function protocolViolation(text: string): ReasonedError {
  return new ReasonedError("PROTOCOL_VIOLATION", text);
}

function toJobType(type: JobTypeMessage, violations: FieldViolation[]): JobType {
  const { name, description, parametersSchema, maxFails } = type;
  if (!jobNamePattern.test(name)) violations.push({ field: "hello.job_types.name", description: jobNameRule });
  if (maxFails < 0) violations.push({ field: "hello.job_types.max_fails", description: "must not be negative" });
  return { name, description, parametersSchema, maxFails: maxFails === 0 ? defaultMaxFails : maxFails };
}
