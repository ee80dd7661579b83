import type { ServiceDefinition } from "@grpc/grpc-js";
import { type FieldViolation, fieldsInvalid, ReasonedError, toError } from "../errors.ts";
import { MessageScan, ScanError, type ScanLimits } from "./message-scan.ts";
import { listsOf, type MessageShape, type MessageShapes } from "./message-shape.ts";
import type { NumberFaults } from "./number-faults.ts";

/** The largest message that is taken, in bytes. */
export const maxMessageBytes = 4 * 1024 * 1024;
/** The size up to which a request is not worth counting, in bytes. */
const smallBytes = 4 * 1024;
/**
 * The most messages and list entries in one: an empty one has two bytes, and two million of them would keep the process from
 * all other work for seconds. Parameters of 256 KiB have at most 131,072 numbers.
 */
export const maxMessageItems = 200_000;
/** What a request may have in it. It is counted on the wire, before anything of it is decoded. */
export interface MessageLimits {
  /** Entries of the lists of the request itself. */
  maxEntries: number;
  /** Messages and list entries at all depths. */
  maxItems: number;
  /** What a request with more is answered with. */
  refuse(): ReasonedError;
}

/** For methods without limits of their own. */
const defaultLimits: MessageLimits = { maxEntries: maxMessageItems, maxItems: maxMessageItems, refuse: tooManyItems };

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

/** What decoders need to know of the contract. */
export interface DecoderDeps {
  numberFaults: NumberFaults;
  shapes: MessageShapes;
  /** By the names of the methods. Default: those for all. */
  limits?: Readonly<Record<string, MessageLimits>> | undefined;
}

/** The sizes on the wire of the requests that are worth counting. */
const largeSizes = new WeakMap<object, number>();

/** How many bytes the request had on the wire; 0 when those were 4 KiB at most. */
export function sizeOfLarge(request: object): number {
  return largeSizes.get(request) ?? 0;
}

/** The definition with decoders that leave it to the handlers to refuse what they can't read. */
export function withDecoders(definition: ServiceDefinition, deps: DecoderDeps): ServiceDefinition {
  const { numberFaults, shapes, limits } = deps;
  const wrapped: Record<string, ServiceDefinition[string]> = {};
  for (const [name, method] of Object.entries(definition)) {
    const { path, requestDeserialize: decode } = method;
    const requestDeserialize = (bytes: Buffer): unknown => {
      if (bytes.length > maxMessageBytes) return new RefusedRequest(tooLarge(bytes.length));
      const refusal = refusalOfScan(shapes, path, bytes, limits?.[name]);
      if (refusal !== undefined) return new RefusedRequest(refusal);
      try {
        const request = decode(bytes) as object;
        if (bytes.length > smallBytes) largeSizes.set(request, bytes.length);
        return request;
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

/** Why the decoder is not to begin with the bytes: it makes an object of each item in them. */
function refusalOfScan(
  shapes: MessageShapes,
  path: string,
  bytes: Uint8Array,
  { maxEntries, maxItems, refuse }: MessageLimits = defaultLimits,
): ReasonedError | undefined {
  const shape = bytes.length < minBytesOf(maxEntries) ? undefined : shapes.ofRequest(path);
  if (shape === undefined) return undefined;
  try {
    // entries alone are counted without a look into them
    if (maxEntries < maxItems) scan(bytes, listsOf(shape), maxEntries);
    if (bytes.length >= minBytesOf(maxItems)) scan(bytes, shape, maxItems);
    return undefined;
  } catch (error) {
    const isMalformed = error instanceof ScanError && error.fault === "malformed";
    return isMalformed ? refusalOf(error, () => []) : refuse();
  }
}

/** A smaller message has too few bytes for more items: an empty one has two. */
function minBytesOf(items: number): number {
  return 2 * items;
}

/** @throws ScanError */
function scan(bytes: Uint8Array, shape: MessageShape, maxItems: number): void {
  const limits: ScanLimits = {
    ...{ maxItems, maxFields: 4 * maxItems, maxBytes: maxMessageBytes, maxOuterBytes: maxMessageBytes },
    // the decoder refuses others by their names
    refusesUnsafe: false,
  };
  const scan = new MessageScan(shape, limits);
  scan.push(bytes);
  scan.end();
}

function tooManyItems(): ReasonedError {
  const text = `the message has more than ${maxMessageItems} messages and list entries in it; send it in several`;
  return new ReasonedError("MESSAGE_TOO_LARGE", text, { metadata: { most: String(maxMessageItems) } });
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
