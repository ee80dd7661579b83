import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { boundAddress } from "@drydock/shared/listen.ts";

/** A TCP proxy before a Redis. It can go deaf and dumb on the connections that it has, and still serve new ones. */
export class SwallowingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #targetPort: number;
  #made = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  /** Starts one on a free port. */
  static async start(targetPort: number): Promise<SwallowingProxy> {
    const proxy = new SwallowingProxy(targetPort);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `redis://${boundAddress(this.#server)}/0`;
  }

  /** How many connections were made through it. */
  get made(): number {
    return this.#made;
  }

  /** From now on nothing passes on the connections that there are, and none of them is closed. Gives their number. */
  swallow(): number {
    const swallowed = [...this.#pairs];
    for (const [client, server] of swallowed) {
      client.unpipe(server);
      server.unpipe(client);
      client.resume();
      server.resume();
    }
    this.#pairs.clear();
    return swallowed.length;
  }

  /** New connections go to another server; those that there are stay. */
  pointTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  readonly #sockets = new Set<Socket>();

  #join(client: Socket): void {
    const server = connect(this.#targetPort, "127.0.0.1");
    const pair: [Socket, Socket] = [client, server];
    this.#made++;
    this.#pairs.add(pair);
    for (const [socket, other] of [pair, pair.toReversed()] as Array<[Socket, Socket]>) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (this.#pairs.delete(pair)) other.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
