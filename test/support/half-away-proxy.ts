import type { IncomingMessage } from "node:http";
import { createHttpService } from "@drydock/demo/http-service.ts";
import type { OutageProxy } from "./scan-outage.ts";

/** What is answered instead of the service. */
export interface BrokenAnswer {
  status: number;
  body?: string;
}

/** Whether the service itself answers a request while it is half away: undefined; or what is answered instead. */
export type Breakage = (request: IncomingMessage) => BrokenAnswer | undefined;

/** Starts a proxy before an HTTP service that, while it is away, answers some requests in its place. It counts them all. */
export async function startHalfAwayProxy(target: string, breakage: Breakage): Promise<OutageProxy> {
  let isAway = false;
  let refused = 0;
  const http = createHttpService({
    name: "half-away proxy",
    listen: "127.0.0.1:0",
    answer: async (request, response) => {
      const body = Buffer.concat(await Array.fromAsync(request));
      if (isAway) refused += 1;
      const broken = isAway ? breakage(request) : undefined;
      if (broken !== undefined) {
        response.writeHead(broken.status, { "content-type": "text/html" }).end(broken.body);
        return;
      }
      const { method = "GET", url = "", headers } = request;
      const { authorization = "", accept = "*/*", range = "" } = headers;
      const answer = await fetch(`${target}${url}`, {
        method,
        headers: { accept, ...(authorization !== "" && { authorization }), ...(range !== "" && { range }) },
        body: method === "POST" ? body : null,
        redirect: "manual",
      });
      const answered = Object.fromEntries(answer.headers);
      // fetch has unpacked the body and joined its chunks.
      for (const name of ["content-encoding", "transfer-encoding", "content-length"]) delete answered[name];
      response.writeHead(answer.status, answered).end(Buffer.from(await answer.arrayBuffer()));
    },
  });
  await http.start();
  return {
    url: http.url,
    get refused() {
      return refused;
    },
    away: () => {
      isAway = true;
      refused = 0;
    },
    back: () => {
      isAway = false;
    },
    [Symbol.asyncDispose]: () => http.stop(),
  };
}
