import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Service } from "@drydock/shared/lifecycle.ts";
import { type RunningProcess, startProcess } from "../stack/processes.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "../stack/temporary-directory.ts";
import { reader, writer } from "./accounts.ts";
import { createTokenServer, type TokenServer, type TokenServerOptions } from "./token-server.ts";

/** How to make a registry. */
export interface RegistryOptions {
  /** Where it listens, on 127.0.0.1. Default: a free port. */
  port?: number;
  /** How its tokens are given. Default: to the two accounts of the registry; `users` come to these. */
  tokens?: Partial<TokenServerOptions>;
}

/** A name and its password. */
export interface Account {
  username: string;
  password: string;
}

/** A real registry with its token server. */
export interface Registry extends Service {
  /** Without a slash at the end; to be read after start. */
  readonly url: string;
  /** To be read after start. */
  readonly process: RunningProcess;
  /** Gives its tokens. */
  readonly tokens: TokenServer;
  /** Who may pull and list. */
  readonly reader: Account;
  /** Who may do everything. */
  readonly writer: Account;
}

/** Makes a docker-registry with storage of its own in a temporary directory; start it before use. */
export function createRegistry({ port = 0, tokens: own = {} }: RegistryOptions = {}): Registry {
  const tokens = createTokenServer({ ...own, users: [reader, writer, ...(own.users ?? [])] });
  let running: { process: RunningProcess; directory: TemporaryDirectory } | undefined;
  const processNow = () => {
    if (running === undefined) throw new Error("the registry was not started");
    return running.process;
  };
  return {
    name: "registry",
    tokens,
    reader,
    writer,
    get url() {
      return `http://${processNow().ready.address}`;
    },
    get process() {
      return processNow();
    },
    start: async () => {
      await tokens.start();
      const directory = await createTemporaryDirectory("registry");
      try {
        running = { process: await startServer(directory.path, port, tokens), directory };
      } catch (error) {
        await Promise.all([tokens.stop(), directory.remove()]);
        throw error;
      }
    },
    stop: async () => {
      await tokens.stop();
      if (running === undefined) return;
      await running.process.stop();
      await running.directory.remove();
    },
  };
}

async function startServer(directory: string, port: number, tokens: TokenServer): Promise<RunningProcess> {
  const certificatePath = join(directory, "token-certificate.pem");
  const configPath = join(directory, "config.yml");
  const config = {
    version: 0.1,
    // The registry's own default secret differs at each start; one process needs none, but warns.
    http: { addr: `127.0.0.1:${port}`, secret: "drydock" },
    storage: { filesystem: { rootdirectory: join(directory, "storage") }, delete: { enabled: true } },
    auth: {
      token: {
        realm: tokens.url,
        service: tokens.service,
        issuer: tokens.issuer,
        rootcertbundle: certificatePath,
      },
    },
  };
  await writeFile(certificatePath, tokens.certificate);
  // Every JSON document is a YAML document.
  await writeFile(configPath, JSON.stringify(config));
  return startProcess({
    name: "the registry",
    command: "docker-registry",
    args: ["serve", configPath],
    env: { OTEL_TRACES_EXPORTER: "none" },
    readReady: (line) => {
      const address = /msg="listening on ([^"]+)"/.exec(line)?.[1];
      return address === undefined ? undefined : { address };
    },
    installHint: "on Debian and Ubuntu it is in the package docker-registry",
  });
}
