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
const passedHeaders = ["accept", "authorization", "content-type", "range", "if-none-match"];

/** Makes one on a free port of 127.0.0.1; start it before use. */
export function createCountingProxy(targetUrl: string): CountingProxy {
  const requests: string[] = [];
  const http = createHttpService({
    name: "counting proxy",
    listen: "127.0.0.1:0",
    answer: async (request, response) => {
      const { method = "GET", url = "" } = request;
      requests.push(`${method} ${url.split("?", 1)[0]}`);
      const headers = passedHeaders.flatMap((name) => {
        const value = request.headers[name];
        return typeof value === "string" ? [[name, value] as [string, string]] : [];
      });
      const body = method === "POST" ? await bodyOf(request) : null;
      const passed = await fetch(`${targetUrl}${url}`, { method, headers, body, redirect: "manual" });
      const bytes = Buffer.from(await passed.arrayBuffer());
      response.writeHead(passed.status, Object.fromEntries(passed.headers)).end(bytes);
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
