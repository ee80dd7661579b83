import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { ReasonedError } from "../errors.ts";
import { toServiceError } from "./status.ts";

const known = new WeakMap<ReasonedError, OutgoingHttpHeaders>();

/** The answer of a call that has had none, as grpc-js would send it; that of an error is made once, however often it is sent. */
export function refusalHeaders(error: ReasonedError): OutgoingHttpHeaders {
  const headers = known.get(error) ?? makeHeaders(error);
  known.set(error, headers);
  return headers;
}

function makeHeaders(error: ReasonedError): OutgoingHttpHeaders {
  const { code, details, metadata } = toServiceError(error, "").error;
  return {
    ":status": 200,
    "content-type": "application/grpc+proto",
    "grpc-status": code,
    "grpc-message": encodeURI(details),
    ...metadata.toHttp2Headers(),
  };
}

/** Answers a call that grpc-js need not know of, and resets it: nothing more of its request is wanted. */
export function refuseCall(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.headersSent) stream.respond(headers, { endStream: true });
  // a reset in the same turn would leave before the answer, which then is never sent
  setImmediate(() => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
}
