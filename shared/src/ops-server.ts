import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { toError } from "./errors.ts";
import type { Service } from "./lifecycle.ts";
import { boundAddress, listenError, splitHostPort } from "./listen.ts";
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
export interface OpsServer extends Service {
  /** The host:port that is really bound; throws before start. */
  readonly address: string;
}

interface Reply {
  status: number;
  type: string;
  body: string;
}

/** Makes the HTTP server with /healthz (the process runs), /readyz (it can do its work; else 503) and /metrics. */
export function createOpsServer(options: OpsServerOptions): OpsServer {
  const { listen, logger } = options;
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    serve(request, response, options).catch((error) => {
      logger.error({ err: error, path: request.url }, "an ops request failed");
      response.writeHead(500).end();
    });
  });
  return {
    name: "ops-server",
    get address() {
      if (!server.listening) throw new Error("the ops server is not listening");
      return boundAddress(server);
    },
    start: async () => {
      if (server.listening) return;
      server.listen(splitHostPort(listen));
      try {
        await once(server, "listening");
      } catch (error) {
        throw listenError(listen, "DRYDOCK_OPS_LISTEN", toError(error));
      }
    },
    stop: async () => {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, options: OpsServerOptions): Promise<void> {
  const { status, type, body } = await reply(request, options);
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function reply({ method, url = "" }: IncomingMessage, { ready, metrics }: OpsServerOptions): Promise<Reply> {
  const plain = (status: number, text: string) => ({ status, type: "text/plain; charset=utf-8", body: `${text}\n` });
  if (method !== "GET" && method !== "HEAD") return plain(405, "only GET is possible");
  switch (url.split("?")[0]) {
    case "/healthz":
      return plain(200, "ok");
    case "/readyz": {
      const readiness = ready();
      const body = `${JSON.stringify(readiness)}\n`;
      return { status: readiness.ready ? 200 : 503, type: "application/json", body };
    }
    case "/metrics":
      return { status: 200, type: metrics.contentType, body: await metrics.text() };
    default:
      return plain(404, "not found; there are /healthz, /readyz and /metrics");
  }
}
