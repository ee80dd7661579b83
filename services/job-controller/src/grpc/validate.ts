import { type FieldViolation, fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import type {
  Hello,
  JobType as JobTypeMessage,
  StreamLogsRequest,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { inertLines, oneLine } from "@drydock/shared/plain-text.ts";
import { isJobId, jobIdRule } from "../domain/job-id.ts";
import { defaultMaxFails, type JobType, jobNamePattern, jobNameRule } from "../domain/job-type.ts";
import type { WorkerCapacity } from "../domain/worker.ts";
import { capacityViolations, maxSlots, toCapacity } from "./validate-capacity.ts";

const digestPattern = /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const workerIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Long enough that nobody guesses it: who knows it may act for the process. */
const incarnationPattern = /^[A-Za-z0-9-]{16,64}$/;
const incarnationRule = "must be 16 to 64 of A-Z, a-z, 0-9 and hyphen, random for each process, e.g. a UUID";
const workerIdRule = "must be at most 128 of A-Z, a-z, 0-9, dot, underscore and hyphen, a letter or digit first";
/** What runs, and as many results that wait for their acknowledgement. */
const maxHeld = 2 * maxSlots;
const maxJobTypes = 64;
const maxSchemaBytes = 64 * 1024;
/** Of all schemas of a Hello. */
const maxSchemasBytes = 512 * 1024;
const maxLogPieceLength = 256 * 1024;
const maxDescriptionBytes = 1_024;
const maxCheckpointBytes = 64 * 1024;

/** Checks a job's id. */
export function validateJobId(jobId: string): string {
  if (isJobId(jobId)) return jobId;
  throw fieldsInvalid([{ field: "job_id", description: jobId === "" ? "is missing" : jobIdRule }]);
}

/** Checks a job type's name. */
export function validateJobName(name: string): string {
  if (jobNamePattern.test(name)) return name;
  throw fieldsInvalid([{ field: "name", description: name === "" ? "is missing" : jobNameRule }]);
}

/** Checks a worker's id. */
export function validateWorkerId(workerId: string): string {
  if (workerIdPattern.test(workerId)) return workerId;
  throw fieldsInvalid([{ field: "worker_id", description: workerId === "" ? "is missing" : workerIdRule }]);
}

/** Checks a number that must not be negative. */
export function validateCount(field: string, value: number): number {
  if (value >= 0) return value;
  throw fieldsInvalid([{ field, description: "must not be negative" }]);
}

/** What a digest is, for people. */
export const digestRule = "must be sha256: and 64, or sha512: and 128 lower-case hex digits";

/** Whether the text is a digest. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** Checks a digest. */
export function validateDigest(digest: string): string {
  if (isDigest(digest)) return digest;
  throw fieldsInvalid([{ field: "digest", description: digestRule }]);
}

/** Checks how far a job has come. */
export function validateCheckpoint(checkpoint: string): string {
  if (Buffer.byteLength(checkpoint) <= maxCheckpointBytes) return checkpoint;
  const description = `must not be larger than ${maxCheckpointBytes} bytes; keep where to go on, not what was found`;
  throw fieldsInvalid([{ field: "checkpoint", description }]);
}

/** A worker's Hello that is fit for use. */
export interface ValidHello {
  workerId: string;
  incarnation: string;
  version: string;
  capacity: WorkerCapacity;
  types: JobType[];
}

/**
 * Checks a worker's Hello.
 * @param now as for validateCapacity
 */
export function validateHello(hello: Hello, now: number): ValidHello {
  const { workerId, incarnation, version, jobTypes, held } = hello;
  const violations: FieldViolation[] = [];
  if (!workerIdPattern.test(workerId)) violations.push({ field: "hello.worker_id", description: workerIdRule });
  if (!incarnationPattern.test(incarnation)) {
    violations.push({ field: "hello.incarnation", description: incarnationRule });
  }
  violations.push(...capacityViolations("hello", hello));
  if (held.length > maxHeld) violations.push({ field: "hello.held", description: heldRule });
  if (jobTypes.length > maxJobTypes) {
    violations.push({ field: "hello.job_types", description: `must not be more than ${maxJobTypes}` });
  }
  const schemasBytes = jobTypes.reduce((sum, { parametersSchema }) => sum + Buffer.byteLength(parametersSchema), 0);
  if (schemasBytes > maxSchemasBytes) {
    const description = `must not have schemas of more than ${maxSchemasBytes} bytes together; shorten them`;
    violations.push({ field: "hello.job_types", description });
  }
  const types = jobTypes.slice(0, maxJobTypes).map((type) => toJobType(type, violations));
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { workerId, incarnation, version: oneLine(version).slice(0, 64), capacity: toCapacity(hello, now), types };
}

/** Checks the leases that a worker holds by its own account. */
export function validateHeld<Held>(held: Held[]): Held[] {
  if (held.length <= maxHeld) return held;
  throw fieldsInvalid([{ field: "beat.held", description: heldRule }]);
}

/** Checks a piece of a log, and makes its text inert: of the same length, but with nothing on which a terminal acts. */
export function validateLogPiece(piece: StreamLogsRequest): void {
  const { offset, text } = piece;
  const violations: FieldViolation[] = [];
  if (offset < 0) violations.push({ field: "offset", description: "must not be negative" });
  if (text.length > maxLogPieceLength) {
    violations.push({ field: "text", description: `must not be longer than ${maxLogPieceLength} characters` });
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  piece.text = inertLines(text);
}

const heldRule = `must not be more than ${maxHeld}`;

/** A message came that the protocol does not allow there. */
export function protocolViolation(text: string): ReasonedError {
  return new ReasonedError("PROTOCOL_VIOLATION", text);
}

function toJobType(type: JobTypeMessage, violations: FieldViolation[]): JobType {
  const { name, description, parametersSchema, maxFails, maxRunning, maxKeyPercent, isSingleton } = type;
  if (!jobNamePattern.test(name)) violations.push({ field: "hello.job_types.name", description: jobNameRule });
  const tooLarge: Array<[field: string, text: string, most: number, remedy: string]> = [
    ["description", description, maxDescriptionBytes, ""],
    ["parameters_schema", parametersSchema, maxSchemaBytes, "; leave out descriptions, or share parts in $defs"],
  ];
  for (const [field, text, most, remedy] of tooLarge) {
    if (Buffer.byteLength(text) <= most) continue;
    violations.push({
      field: `hello.job_types.${field}`,
      description: `must not be larger than ${most} bytes${remedy}`,
    });
  }
  for (const [field, count] of Object.entries({ max_fails: maxFails, max_running: maxRunning })) {
    if (count < 0) violations.push({ field: `hello.job_types.${field}`, description: "must not be negative" });
  }
  if (maxKeyPercent < 0 || maxKeyPercent > 100) {
    violations.push({ field: "hello.job_types.max_key_percent", description: "must be from 0 to 100" });
  }
  const fails = maxFails === 0 ? defaultMaxFails : maxFails;
  const limits = { maxFails: fails, maxRunning, maxKeyPercent, isSingleton };
  return { name, description: oneLine(description), parametersSchema, ...limits };
}
