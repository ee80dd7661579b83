import type { Any } from "../../gen/google/protobuf/any.ts";
import {
  BadRequest,
  ErrorInfo,
  type MessageFns,
  PreconditionFailure,
  RequestInfo,
  ResourceInfo,
  RetryInfo,
} from "../../gen/google/rpc/error_details.ts";
import { Status } from "../../gen/google/rpc/status.ts";
import { encodeMessage } from "../encode-message.ts";
import type { ReasonedError } from "../errors.ts";

/** The domain of every ErrorInfo. */
export const errorDomain = "drydock.dev";

export interface ErrorContents {
  code: number;
  message: string;
  error: ReasonedError;
  requestId: string;
  /** Longest list and longest text that is kept. */
  cut: { items: number; chars: number };
}

/** The google.rpc.Status of an error, with each kind of detail at most once (https://google.aip.dev/193). */
export function encodeDetails({ code, message, error, requestId, cut }: ErrorContents): Buffer {
  const text = (value: string) => value.slice(0, cut.chars).toWellFormed();
  const texts = <T extends Record<string, string>>(record: T) =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [key, text(value)]));
  const { metadata = {}, violations = [], resource, precondition, retryAfterMs } = error.facts;
  const details: Any[] = [];
  const add = <T>(type: string, fns: MessageFns<T>, value: Parameters<MessageFns<T>["fromPartial"]>[0]) =>
    details.push({ typeUrl: typePrefix + type, value: encodeMessage(fns, fns.fromPartial(value)) });

  const entries = Object.fromEntries(Object.entries(metadata).slice(0, cut.items));
  add("ErrorInfo", ErrorInfo, { reason: error.reason, domain: errorDomain, metadata: texts(entries) });
  if (violations.length > 0) {
    const fieldViolations = violations.slice(0, cut.items).map((v) => texts({ ...v }));
    add("BadRequest", BadRequest, { fieldViolations });
  }
  if (resource !== undefined) {
    const { type, name, description = "" } = resource;
    add("ResourceInfo", ResourceInfo, {
      resourceType: text(type),
      resourceName: text(name),
      description: text(description),
    });
  }
  if (precondition !== undefined) {
    add("PreconditionFailure", PreconditionFailure, { violations: [texts({ ...precondition })] });
  }
  if (retryAfterMs !== undefined) add("RetryInfo", RetryInfo, { retryDelay: toDuration(retryAfterMs) });
  if (error.reason === "INTERNAL") add("RequestInfo", RequestInfo, { requestId: text(requestId) });
  return encodeMessage(Status, { code, message, details });
}

const typePrefix = "type.googleapis.com/google.rpc.";

/** What the details of an error tell; only what is there is set. */
export interface DecodedDetails {
  reason?: string;
  metadata?: Record<string, string>;
  violations?: { field: string; description: string }[];
  resource?: { type: string; name: string; description: string };
  precondition?: { type: string; subject: string; description: string };
  retryAfterMs?: number;
  requestId?: string;
}

const decoders: Record<string, (value: Uint8Array) => DecodedDetails> = {
  ErrorInfo: (value) => {
    const { reason, metadata } = ErrorInfo.decode(value);
    return { reason, metadata };
  },
  BadRequest: (value) => ({
    violations: BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({ field, description })),
  }),
  ResourceInfo: (value) => {
    const { resourceType, resourceName, description } = ResourceInfo.decode(value);
    return { resource: { type: resourceType, name: resourceName, description } };
  },
  PreconditionFailure: (value) => {
    const [precondition] = PreconditionFailure.decode(value).violations;
    return precondition === undefined ? {} : { precondition };
  },
  RetryInfo: (value) => {
    const { retryDelay } = RetryInfo.decode(value);
    return retryDelay === undefined ? {} : { retryAfterMs: retryDelay.seconds * 1000 + retryDelay.nanos / 1e6 };
  },
  RequestInfo: (value) => ({ requestId: RequestInfo.decode(value).requestId }),
};

/** Reads a google.rpc.Status; kinds that we don't know and bytes that are none are left out. */
export function decodeDetails(bytes: Uint8Array): DecodedDetails {
  try {
    const parts = Status.decode(bytes).details.map(
      ({ typeUrl, value }) => decoders[typeUrl.slice(typePrefix.length)]?.(value) ?? {},
    );
    return Object.assign({}, ...parts);
  } catch {
    return {};
  }
}

function toDuration(ms: number): { seconds: number; nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: Math.round((ms % 1000) * 1e6) };
}
