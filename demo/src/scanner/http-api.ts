import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { ApiCall, ApiReply } from "./clair-v1/routes.ts";

const maxBodyBytes = 1024 * 1024;

/** Reads an HTTP request as a call. */
export function readCall(request: IncomingMessage, signal: AbortSignal): ApiCall {
  return {
    method: request.method ?? "GET",
    url: new URL(request.url ?? "/", "http://scanner"),
    body: () => readBody(request),
    signal,
  };
}

/** Sends a reply as Clair 2.x does, gzipped if the client accepts that, but with a Server header of its own. */
export function sendReply(request: IncomingMessage, response: ServerResponse, { status, body }: ApiReply): void {
  response.statusCode = status;
  response.setHeader("Server", "drydock-evaluation-scanner");
  if (body === undefined) {
    response.end();
    return;
  }
  const isText = typeof body === "string";
  const bytes = Buffer.from(isText ? body : JSON.stringify(body));
  response.setHeader("Content-Type", isText ? "text/plain; charset=utf-8" : "application/json;charset=utf-8");
  if (/\bgzip\b/.test(String(request.headers["accept-encoding"]))) {
    response.setHeader("Content-Encoding", "gzip");
    response.end(gzipSync(bytes));
  } else {
    response.end(bytes);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let missing = maxBodyBytes;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (missing > 0) chunks.push(chunk.subarray(0, missing));
    missing -= chunk.length;
  }
  return Buffer.concat(chunks).toString("utf8");
}
