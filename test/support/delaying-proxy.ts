import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { boundAddress } from "@drydock/shared/listen.ts";

/** A TCP proxy before a Redis that lets everything pass, as late as a test wants. */
export class DelayingProxy implements AsyncDisposable {
  /** How much later what comes on a connection arrives, each way, in milliseconds. */
  delayMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const server = connect(targetPort, "127.0.0.1");
      this.#pass(client, server);
      this.#pass(server, client);
    });
  }

  /** Starts one on a free port. */
  static async start(targetPort: number): Promise<DelayingProxy> {
    const proxy = new DelayingProxy(targetPort);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `redis://${boundAddress(this.#server)}/0`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let passed = Promise.resolve();
    from.on("data", (bytes) => {
      const arrival = wait(this.delayMs);
      passed = Promise.all([passed, arrival]).then(() => void to.write(bytes));
    });
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
