import type { IncomingMessage } from "node:http";
import { createHttpService, type HttpReply, type HttpService, jsonReply, plainReply } from "./http-service.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";

/** Whether the process can do its work, and what each check says: true, or what is wrong. */
export interface Readiness {
  ready: boolean;
  checks: Record<string, boolean | string>;
}

export interface OpsServerOptions {
  /** host:port; port 0 takes a free one. */
  listen: string;
  ready: () => Readiness;
  metrics: Metrics;
  logger: Logger;
}

/** A small HTTP server for operators. */
export type OpsServer = HttpService;

/** Makes the HTTP server with /healthz (the process runs), /readyz (it can do its work; else 503) and /metrics. */
export function createOpsServer(options: OpsServerOptions): OpsServer {
  const { listen, logger } = options;
  const handle = (request: IncomingMessage) => reply(request, options);
  return createHttpService({ name: "ops-server", listen, setting: "DRYDOCK_OPS_LISTEN", handle, logger });
}

async function reply({ method, url = "" }: IncomingMessage, { ready, metrics }: OpsServerOptions): Promise<HttpReply> {
  if (method !== "GET" && method !== "HEAD") return plainReply(405, "only GET is possible");
  switch (url.split("?")[0]) {
    case "/healthz":
      return plainReply(200, "ok");
    case "/readyz": {
      const readiness = ready();
      return jsonReply(readiness.ready ? 200 : 503, readiness);
    }
    case "/metrics":
      return { status: 200, type: metrics.contentType, body: await metrics.text() };
    default:
      return plainReply(404, "not found; there are /healthz, /readyz and /metrics");
  }
}
