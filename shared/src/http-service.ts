import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { toError } from "./errors.ts";
import type { Service } from "./lifecycle.ts";
import { boundAddress, listenError, splitHostPort } from "./listen.ts";
import type { Logger } from "./logger.ts";

/** How an HTTP service is set up. */
export interface HttpServiceOptions {
  /** As the log names it. */
  name: string;
  /** host:port; port 0 takes a free one. */
  listen: string;
  /** The variable that names the address, for the error when it can't be bound. */
  setting: string;
  /** Answers a request; one that throws is answered 500 and logged. */
  handle: (request: IncomingMessage) => Promise<HttpReply>;
  logger: Logger;
}

/** The answer to a request. */
export interface HttpReply {
  status: number;
  /** The media type. */
  type: string;
  body: string;
  headers?: Record<string, string>;
}

/** An HTTP server. */
export interface HttpService extends Service {
  /** The host:port that is really bound; throws before start. */
  readonly address: string;
}

/** A line of text as an answer. */
export function plainReply(status: number, text: string): HttpReply {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}

/** A value as JSON as an answer. */
export function jsonReply(status: number, value: unknown): HttpReply {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** Makes an HTTP server. A request must be there within 10 s. */
export function createHttpService({ name, listen, setting, handle, logger }: HttpServiceOptions): HttpService {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, type, body, headers } = await handle(request);
    response.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    serve(request, response).catch((error) => {
      logger.error({ err: error, path: request.url }, `a request to the ${name} failed`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  return {
    name,
    get address() {
      if (!server.listening) throw new Error(`the ${name} is not listening`);
      return boundAddress(server);
    },
    start: async () => {
      if (server.listening) return;
      server.listen(splitHostPort(listen));
      try {
        await once(server, "listening");
      } catch (error) {
        throw listenError(listen, setting, toError(error));
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
