import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { boundAddress } from "@drydock/shared/listen.ts";

/** A server on loopback that writes what a test wants, byte for byte. */
export interface RawServer extends AsyncDisposable {
  /** E.g. 127.0.0.1:40000. */
  readonly address: string;
  /** How many connections are open. */
  readonly connections: number;
}

/** Starts a server that answers what comes on a connection, piece by piece; each piece leaves in a packet of its own. */
export async function startRawServer(...pieces: string[]): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", async () => {
      for (const piece of pieces) {
        await new Promise((resolve) => socket.write(piece, resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: boundAddress(server),
    get connections() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
