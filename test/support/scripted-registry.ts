import { createHttpService, type HttpService } from "@drydock/demo/http-service.ts";

/** A request as it came. */
export interface SeenRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What is answered; `hang` never answers, `reset` cuts the connection. */
export type ScriptedAnswer =
  | { status: number; headers?: Record<string, string | string[]>; body?: string | Uint8Array }
  | "hang"
  | "reset";

/** A registry that does what a test wants, for what a real one can't be made to do. */
export interface ScriptedRegistry extends HttpService {
  /** All requests so far. */
  readonly requests: SeenRequest[];
}

/** Makes a scripted registry on a free port of 127.0.0.1; start it before use. */
export function createScriptedRegistry(script: (request: SeenRequest) => ScriptedAnswer): ScriptedRegistry {
  const requests: SeenRequest[] = [];
  const http = createHttpService({
    name: "scripted registry",
    listen: "127.0.0.1:0",
    answer: async ({ method = "", url = "", headers }, response) => {
      const request = { method, path: url, headers };
      requests.push(request);
      const answer = script(request);
      if (answer === "hang") return;
      if (answer === "reset") {
        response.destroy();
        return;
      }
      response.writeHead(answer.status, answer.headers ?? {}).end(answer.body ?? "");
    },
  });
  return {
    name: http.name,
    requests,
    get url() {
      return http.url;
    },
    start: http.start,
    stop: http.stop,
  };
}

/** The body of a registry's error. */
export function registryError(code: string, message = "no"): string {
  return JSON.stringify({ errors: [{ code, message, detail: null }] });
}
