import type { ServiceDefinition } from "@grpc/grpc-js";
import { type FieldViolation, fieldsInvalid, ReasonedError, toError } from "../errors.ts";
import type { NumberFaults } from "./number-faults.ts";

/** The largest message that is taken, in bytes. */
export const maxMessageBytes = 4 * 1024 * 1024;

/**
 * Stands in for a request whose bytes are not taken. What throws while grpc-js decodes is answered by it, as INTERNAL
 * and without details; so decoding never throws, and the handler answers.
 */
class RefusedRequest {
  readonly error: ReasonedError;

  constructor(error: ReasonedError) {
    this.error = error;
  }
}

/**
 * The request, as it was decoded.
 * @throws ReasonedError when its bytes were not taken: MESSAGE_TOO_LARGE, MESSAGE_INVALID, FIELD_INVALID
 */
export function takeRequest<Req>(request: Req): Req {
  if (request instanceof RefusedRequest) throw request.error;
  return request;
}

/** The requests of a stream; throws at the first whose bytes were not taken. */
export async function* takeRequests<Req>(requests: AsyncIterable<Req>): AsyncGenerator<Req, void, undefined> {
  for await (const request of requests) yield takeRequest(request);
}

/** The definition with decoders that leave it to the handlers to refuse what they can't read. */
export function withDecoders(definition: ServiceDefinition, numberFaults: NumberFaults): ServiceDefinition {
  const wrapped: Record<string, ServiceDefinition[string]> = {};
  for (const [name, method] of Object.entries(definition)) {
    const { path, requestDeserialize: decode } = method;
    const requestDeserialize = (bytes: Buffer): unknown => {
      if (bytes.length > maxMessageBytes) return new RefusedRequest(tooLarge(bytes.length));
      try {
        return decode(bytes);
      } catch (error) {
        return new RefusedRequest(refusalOf(error, () => numberFaults(path, bytes)));
      }
    };
    wrapped[name] = { ...method, requestDeserialize };
  }
  return wrapped;
}

function tooLarge(size: number): ReasonedError {
  const text = `the message has ${size} bytes; at most ${maxMessageBytes} are taken`;
  return new ReasonedError("MESSAGE_TOO_LARGE", text, {
    metadata: { size: String(size), most: String(maxMessageBytes) },
  });
}

function refusalOf(thrown: unknown, findFaults: () => FieldViolation[]): ReasonedError {
  try {
    const faults = findFaults();
    if (faults.length > 0) return fieldsInvalid(faults);
  } catch {
    // not even the shape is right
  }
  const cause = toError(thrown);
  return new ReasonedError("MESSAGE_INVALID", `the request can't be decoded: ${cause.message}`, { cause });
}
