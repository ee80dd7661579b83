import { createHttpService, type HttpService } from "@drydock/demo/http-service.ts";

/** How many manifests a registry gives, and what it says beyond that. */
export interface RegistryLimit {
  manifests: number;
  /** In milliseconds. */
  perMs: number;
  /** Left out, the answer does not say when to come back. */
  retryAfter?: string;
  /** Hears of each request, e.g. "GET /v2/". */
  onRequest?: (line: string) => void;
}

/** A registry that passes requests on to a real one, and limits those for manifests as Docker Hub does. */
export interface LimitingRegistry extends HttpService {
  /** How many requests it refused. */
  readonly refused: number;
}

/** Makes one on a free port of 127.0.0.1; start it before use. */
export function createLimitingRegistry(targetUrl: string, limit: RegistryLimit): LimitingRegistry {
  let windowEndsAt = 0;
  let left = 0;
  let refused = 0;
  const mayPass = () => {
    if (performance.now() >= windowEndsAt) {
      windowEndsAt = performance.now() + limit.perMs;
      left = limit.manifests;
    }
    left -= 1;
    return left >= 0;
  };
  const http = createHttpService({
    name: "limiting registry",
    listen: "127.0.0.1:0",
    answer: async ({ method = "GET", url = "", headers }, response) => {
      limit.onRequest?.(`${method} ${url}`);
      if (url.includes("/manifests/") && !mayPass()) {
        refused += 1;
        response.writeHead(429, limit.retryAfter === undefined ? {} : { "retry-after": limit.retryAfter }).end();
        return;
      }
      const { authorization = "", accept = "*/*" } = headers;
      const passed = await fetch(`${targetUrl}${url}`, {
        method,
        headers: { accept, ...(authorization !== "" && { authorization }) },
        redirect: "manual",
      });
      response
        .writeHead(passed.status, Object.fromEntries(passed.headers))
        .end(Buffer.from(await passed.arrayBuffer()));
    },
  });
  return {
    name: http.name,
    start: http.start,
    stop: http.stop,
    get url() {
      return http.url;
    },
    get refused() {
      return refused;
    },
  };
}
