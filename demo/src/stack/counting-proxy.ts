import type { IncomingMessage } from "node:http";
import { createHttpService, type HttpService } from "../http-service.ts";

/** A proxy before a registry or a scanner that counts what it is asked. */
export interface CountingProxy extends HttpService {
  /** Each request so far, e.g. "GET /v2/"; the path without its query. */
  readonly requests: readonly string[];
  /** How many requests fit. */
  count(pattern: RegExp): number;
}

/** Headers that a request is passed on with. */
const passedHeaders = ["accept", "authorization", "content-type", "range", "content-range", "if-none-match"];

/**
 * Makes one on a free port of 127.0.0.1; start it before use.
 * @param onRequest is waited for before a request is passed on
 */
export function createCountingProxy(
  targetUrl: string,
  onRequest: (request: string) => Promise<void> = async () => {},
): CountingProxy {
  const requests: string[] = [];
  const http = createHttpService({
    name: "counting proxy",
    listen: "127.0.0.1:0",
    answer: async (request, response) => {
      const { method = "GET", url = "" } = request;
      const line = `${method} ${url.split("?", 1)[0]}`;
      requests.push(line);
      await onRequest(line);
      const sent = passedHeaders.flatMap((name) => {
        const value = request.headers[name];
        return typeof value === "string" ? [[name, value] as [string, string]] : [];
      });
      const body = method === "GET" || method === "HEAD" ? null : await bodyOf(request);
      const answer = await fetch(`${targetUrl}${url}`, { method, headers: sent, body, redirect: "manual" });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const headers = new Headers(answer.headers);
      // fetch has unpacked the body
      for (const name of ["content-encoding", "transfer-encoding", "connection"]) headers.delete(name);
      if (method !== "HEAD") headers.delete("content-length");
      response.writeHead(answer.status, Object.fromEntries(headers)).end(bytes);
    },
  });
  return {
    name: http.name,
    start: http.start,
    stop: http.stop,
    get url() {
      return http.url;
    },
    requests,
    count: (pattern) => requests.filter((request) => pattern.test(request)).length,
  };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return new Uint8Array(Buffer.concat(parts));
}
