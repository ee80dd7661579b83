import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { boundAddress } from "@drydock/shared/listen.ts";

/** A proxy on loopback that leads everything to one address, whatever is asked for. */
export interface ForwardProxy extends AsyncDisposable {
  readonly url: string;
  /** What it was asked for: "CONNECT host:port", or "GET http://host/path". */
  readonly asked: string[];
  /** The Proxy-Authorization of each of these; empty for none. */
  readonly authorizations: string[];
}

/** Starts a proxy in front of host:port. */
export async function startForwardProxy(target: string): Promise<ForwardProxy> {
  const [host = "", port = ""] = target.split(":");
  const asked: string[] = [];
  const authorizations: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers["proxy-authorization"] ?? "");
    const { pathname, search } = new URL(request.url ?? "");
    const { method, headers } = request;
    const onward = httpRequest(
      { host, port, path: `${pathname}${search}`, method, headers, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.on("connect", (request, near: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    authorizations.push(request.headers["proxy-authorization"] ?? "");
    const far = connect({ host, port: Number(port) }, () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      near.pipe(far).pipe(near);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://${boundAddress(server)}`,
    asked,
    authorizations,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
