import { randomUUID } from "node:crypto";
import { Metadata, status as StatusCode, type StatusObject } from "@grpc/grpc-js";
import { Status } from "../../gen/google/rpc/status.ts";
import { type ErrorReason, errorCatalogue, ReasonedError } from "../errors.ts";
import { decodeDetails, encodeDetails } from "./error-details.ts";

/** The name of a gRPC status, e.g. NOT_FOUND. */
export type StatusCodeName = keyof typeof StatusCode;

/** The metadata key of the google.rpc.Status that tells more about an error. */
export const detailsKey = "grpc-status-details-bin";
const pushbackKey = "grpc-retry-pushback-ms";

/** Node's HTTP/2 refuses header lists of some 16 KiB and proxies of 8 KiB: an error stays below that. */
const maxErrorBytes = 7 * 1024;

/** Limits for an error that is too large: the items of a list, the characters of a text. */
const cuts = [
  { items: 20, chars: 256 },
  { items: 10, chars: 128 },
  { items: 5, chars: 64 },
  { items: 2, chars: 32 },
];

/** An error of a service whose protocol is not ours (health, reflection) and so has no reason of our catalogue. */
export class StandardError extends Error {
  override readonly name = "StandardError";
  readonly code: StatusCodeName;

  constructor(code: StatusCodeName, message: string) {
    super(message);
    this.code = code;
  }
}

/** An error as grpc-js sends it, and what the server should know of it. */
export interface ServiceErrorAnswer {
  /** Give it to the callback of a handler, or emit it as the "error" of a stream. */
  error: StatusObject;
  code: StatusCodeName;
  /** Undefined for a StandardError. */
  reason: ErrorReason | undefined;
  /** Goes to the log together with the request id. */
  cause: unknown;
}

/**
 * Turns whatever was thrown into the answer to the caller: the only door for errors. A ReasonedError keeps its reason,
 * message and facts; of anything else the caller learns only the request id.
 */
export function toServiceError(thrown: unknown, requestId: string = randomUUID()): ServiceErrorAnswer {
  if (thrown instanceof StandardError) {
    const { code, message } = thrown;
    const error = { code: StatusCode[code], details: cutText(message, 1024), metadata: new Metadata() };
    return { error, code, reason: undefined, cause: undefined };
  }
  const known = thrown instanceof ReasonedError;
  const reasoned = known ? thrown : new ReasonedError("INTERNAL", `internal error; the log has it as ${requestId}`);
  const code = errorCatalogue[reasoned.reason].status;
  return {
    error: sized(reasoned, StatusCode[code], requestId),
    code,
    reason: reasoned.reason,
    cause: known ? thrown.facts.cause : thrown,
  };
}

function sized(error: ReasonedError, code: StatusCode, requestId: string): StatusObject {
  for (const cut of cuts) {
    const message = cutText(error.message, cut.chars * 4);
    const bytes = encodeDetails({ code, message, error, requestId, cut });
    if (encodeURI(message).length + (bytes.length * 4) / 3 <= maxErrorBytes) return answer(error, code, message, bytes);
  }
  return answer(error, code, cutText(error.message, 128));
}

function answer(error: ReasonedError, code: StatusCode, details: string, bytes?: Buffer): StatusObject {
  const metadata = new Metadata();
  if (bytes !== undefined) metadata.set(detailsKey, bytes);
  const { retryAfterMs } = error.facts;
  if (retryAfterMs !== undefined && (code === StatusCode.UNAVAILABLE || code === StatusCode.RESOURCE_EXHAUSTED)) {
    metadata.set(pushbackKey, String(Math.ceil(retryAfterMs)));
  }
  return { code, details, metadata };
}

/** The text, cut to a length and without lone surrogates, at which encodeURI would throw. */
function cutText(text: string, chars: number): string {
  return (text.length <= chars ? text : `${text.slice(0, chars - 1)}…`).toWellFormed();
}

/** An error of an RPC as a client reads it. */
export interface DecodedError {
  /** The name of the gRPC status. */
  code: StatusCodeName;
  /** The stable reason; absent when the error did not come from a Drydock service, e.g. when there is no connection. */
  reason?: string;
  message: string;
  /** ErrorInfo's metadata; empty when there is none. */
  metadata: Record<string, string>;
  /** The fields that break their rules; empty when there are none. */
  violations: { field: string; description: string }[];
  resource?: { type: string; name: string; description: string };
  precondition?: { type: string; subject: string; description: string };
  retryAfterMs?: number;
  requestId?: string;
}

/** Reads an error that a grpc-js client gave. Details that can't be read are left out. */
export function fromServiceError(error: unknown): DecodedError {
  const { code, details, metadata } = (error ?? {}) as Partial<StatusObject>;
  const name = StatusCode[code ?? StatusCode.UNKNOWN] as StatusCodeName | undefined;
  const fallback = error instanceof Error ? error.message : String(error);
  const decoded = { code: name ?? "UNKNOWN", message: details ?? fallback, metadata: {}, violations: [] };
  const [bytes] = metadata instanceof Metadata ? metadata.get(detailsKey) : [];
  return Buffer.isBuffer(bytes) ? { ...decoded, ...decodeDetails(bytes) } : decoded;
}

/** Reads an error that stands in an answer, as one of many results. */
export function fromStatus(status: Status): DecodedError {
  const name = StatusCode[status.code] as StatusCodeName | undefined;
  const decoded = { code: name ?? "UNKNOWN", message: status.message, metadata: {}, violations: [] };
  return { ...decoded, ...decodeDetails(Status.encode(status).finish()) };
}
