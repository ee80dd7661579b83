import type { WorkerServiceClient as Client } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { WorkerServiceClient } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { type Route, routeTo } from "@drydock/shared/grpc/client.ts";
import { noProxies, type Proxies } from "@drydock/shared/proxies.ts";
import { credentials } from "@grpc/grpc-js";

/** The connection to the controller, which all calls of a worker share. */
export class ControllerLink {
  readonly #route: Route;
  readonly #listeners = new Set<() => void>();
  #client: Client | undefined;
  #isClosed = false;

  /** @param target host:port, or a gRPC target such as dns:///controller:50051 */
  constructor(target: string, proxies: Proxies = noProxies) {
    this.#route = routeTo(target, proxies);
  }

  /** The client of the present connection. */
  get client(): Client {
    if (this.#isClosed) throw new Error("the link to the controller is closed");
    const { address, options } = this.#route;
    this.#client ??= new WorkerServiceClient(address, credentials.createInsecure(), {
      ...options,
      // A new client must mean a new connection: the old one may be half open.
      "grpc.use_local_subchannel_pool": 1,
    });
    return this.#client;
  }

  /** Gives the connection up; the next call makes a new one. */
  renew(): void {
    this.#client?.close();
    this.#client = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener when the connection is given up. Returns what ends that. */
  onRenew(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#client?.close();
    this.#client = undefined;
  }
}
