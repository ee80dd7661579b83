import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import type {
  Capacity,
  ClosedType as ClosedTypeMessage,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import { jobNamePattern, jobNameRule } from "../domain/job-type.ts";
import type { ClosedType, WorkerCapacity } from "../domain/worker.ts";
import { toMs } from "./time.ts";

/** How many slots a worker may have. */
export const maxSlots = 1_000;
const maxClosed = 64;
const maxMessageBytes = 512;
const reasonPattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/**
 * Checks what a worker can take.
 * @param now since when a type is closed that names no time, or one that can't be
 */
export function validateCapacity(capacity: Capacity, now: number): WorkerCapacity {
  const violations = capacityViolations("capacity", capacity);
  if (violations.length > 0) throw fieldsInvalid(violations);
  return toCapacity(capacity, now);
}

/** What is wrong with the capacity that a message names. */
export function capacityViolations(message: string, { slots, closed }: Capacity): FieldViolation[] {
  const violations: FieldViolation[] = [];
  if (slots < 0 || slots > maxSlots) {
    violations.push({ field: `${message}.slots`, description: `must be from 0 to ${maxSlots}` });
  }
  if (closed.length > maxClosed) {
    const description = `must not be more than ${maxClosed}; close what more there is by taking no slots`;
    violations.push({ field: `${message}.closed`, description });
  }
  return [...violations, ...closed.slice(0, maxClosed).flatMap((type) => violationsOf(`${message}.closed`, type))];
}

/** The capacity that a message without violations names. */
export function toCapacity({ slots, closed }: Capacity, now: number): WorkerCapacity {
  const byName = new Map(closed.map((type) => [type.jobType, toClosedType(type, now)]));
  return { slots, closed: [...byName.values()] };
}

function violationsOf(field: string, { jobType, reason }: ClosedTypeMessage): FieldViolation[] {
  const violations: FieldViolation[] = [];
  if (!jobNamePattern.test(jobType)) violations.push({ field: `${field}.job_type`, description: jobNameRule });
  if (!reasonPattern.test(reason)) {
    const description = "must be at most 64 of A-Z, 0-9 and _, a letter first, e.g. SCANNER_UNREACHABLE";
    violations.push({ field: `${field}.reason`, description });
  }
  return violations;
}

function toClosedType(closed: ClosedTypeMessage, now: number): ClosedType {
  const { jobType, reason, message, since, patience, isWorkerFault } = closed;
  const at = since?.getTime() ?? now;
  return {
    ...{ jobName: jobType, reason, message: cut(oneLine(message)), since: at >= 0 && at < now ? at : now },
    isWorkerFault,
    patienceMs: patience && Math.max(0, toMs(patience)),
  };
}

/** A message of at most maxMessageBytes, whole characters. */
function cut(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= maxMessageBytes) return bytes.toString();
  const mark = "…";
  const kept = bytes.subarray(0, maxMessageBytes - Buffer.byteLength(mark)).toString();
  return `${kept.replace(/\uFFFD$/, "")}${mark}`;
}
