import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { boundAddress } from "@drydock/shared/listen.ts";

/** A TCP proxy before an HTTP service. While that is to be away, connections are reset and counted. */
export class FailingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #isAway = false;
  #refused = 0;

  private constructor(targetUrl: string) {
    this.#target = new URL(targetUrl);
    this.#server = createServer((client) => this.#join(client));
  }

  /** Starts one on a free port. */
  static async start(targetUrl: string): Promise<FailingProxy> {
    const proxy = new FailingProxy(targetUrl);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://${boundAddress(this.#server)}`;
  }

  /** How many connections were reset since the service went away. */
  get refused(): number {
    return this.#refused;
  }

  /** Breaks all connections, and each new one, until `back`. */
  away(): void {
    this.#isAway = true;
    this.#refused = 0;
    for (const socket of this.#sockets) socket.destroy();
  }

  back(): void {
    this.#isAway = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket): void {
    client.on("error", () => {});
    if (this.#isAway) {
      this.#refused += 1;
      client.resetAndDestroy();
      return;
    }
    const server = connect(Number(this.#target.port), this.#target.hostname);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
