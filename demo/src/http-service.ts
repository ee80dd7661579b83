import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Service } from "@drydock/shared/lifecycle.ts";
import { boundAddress, splitHostPort } from "@drydock/shared/listen.ts";

/** An HTTP server that starts and stops. */
export interface HttpService extends Service {
  /** Where it answers, without a slash at the end; to be read after start. */
  readonly url: string;
}

/** How to make an HTTP service. */
export interface HttpServiceOptions {
  name: string;
  /** host:port; port 0 takes a free one. */
  listen: string;
  /** Serves https with this key and certificate, in PEM. */
  tls?: { key: string; cert: string };
  /** Answers a request. When it throws, the answer is 500. */
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** Makes an HTTP service. Its stop ends open connections at once. */
export function createHttpService({ name, listen, tls, answer }: HttpServiceOptions): HttpService {
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  };
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  let closing: Promise<void> | undefined;
  return {
    name,
    get url() {
      return `${tls === undefined ? "http" : "https"}://${boundAddress(server)}`;
    },
    start: async () => {
      server.listen(splitHostPort(listen));
      await once(server, "listening");
    },
    stop: () => {
      closing ??= close();
      return closing;
    },
  };
}
