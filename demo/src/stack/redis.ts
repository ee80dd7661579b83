import { freePort } from "./free-port.ts";
import { type RunningProcess, startProcess } from "./processes.ts";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** A Redis of our own, with its data in a temporary directory. */
export interface RedisServer {
  readonly port: number;
  /** redis://127.0.0.1:…/0 */
  readonly url: string;
  /** The process that runs now. */
  readonly process: RunningProcess;
  /** Ends it at once, as a crash does; the data stay. */
  crash(): Promise<void>;
  /** Starts it again after a crash, on the same port with the same data. */
  resume(): Promise<void>;
  /** Ends it and removes its data. Safe to call twice. */
  stop(): Promise<void>;
}

/** When what was appended is on the disk: within a second, or before the answer. */
export type RedisSync = "everysec" | "always";

/** Starts a Redis with an append-only file, and without eviction, as Drydock needs it. */
export async function startRedis(sync: RedisSync = "everysec"): Promise<RedisServer> {
  const directory = await createTemporaryDirectory("redis");
  try {
    const port = await freePort();
    let running = await startServer(port, directory.path, sync);
    return {
      port,
      url: `redis://127.0.0.1:${port}/0`,
      get process() {
        return running;
      },
      crash: async () => {
        await running.kill();
      },
      resume: async () => {
        running = await startServer(port, directory.path, sync);
      },
      stop: async () => {
        await running.stop();
        await directory.remove();
      },
    };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

function startServer(port: number, directory: string, sync: RedisSync): Promise<RunningProcess> {
  const settings = {
    port: String(port),
    bind: "127.0.0.1",
    // pools that are not to meet can share a server
    databases: "64",
    // a title would overwrite the environment, by which a process that was left running is found
    "set-proc-title": "no",
    dir: directory,
    save: "",
    appendonly: "yes",
    appendfsync: sync,
    "maxmemory-policy": "noeviction",
  };
  return startProcess({
    name: "Redis",
    command: "redis-server",
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    readReady: (line) => (line.includes("Ready to accept connections") ? { port } : undefined),
    installHint: "on Debian and Ubuntu it is in the package redis-server",
  });
}
