import { execFileSync } from "node:child_process";
import { chownSync, existsSync, globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type RunningProcess, startProcess } from "./processes.ts";
import { createTemporaryDirectory } from "./temporary-directory.ts";

/** A PostgreSQL of our own, with its data in a temporary directory. */
export interface PostgresServer {
  readonly port: number;
  /** postgres://drydock:…@127.0.0.1:…/postgres */
  readonly url: string;
  /** The folder of its data, which belongs to the user that it is run by. */
  readonly data: string;
  /** The process that runs now. */
  readonly process: RunningProcess;
  /** Ends it at once and closes all connections; the data stay. */
  crash(): Promise<void>;
  /** Starts it again after a crash, on the same port with the same data. */
  resume(): Promise<void>;
  /** Ends it and removes its data. Safe to call twice. */
  stop(): Promise<void>;
}

const user = "drydock";
/** In no other text, so that a test finds it where it must not be. */
export const postgresPassword = "p4ssword-of-the-tests";

/** Starts a PostgreSQL that writes for its own crash alone, not for its machine's. @param settings further ones of the server */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const directory = await createTemporaryDirectory("postgres");
  try {
    const programs = findPrograms();
    const data = join(directory.path, "data");
    initialize(programs, directory.path, data);
    const port = await freePort();
    let running = await startServer(programs, data, { ...settings, port: String(port) });
    return {
      port,
      data,
      url: `postgres://${user}:${postgresPassword}@127.0.0.1:${port}/postgres`,
      get process() {
        return running;
      },
      crash: async () => {
        await running.kill("SIGQUIT");
      },
      resume: async () => {
        running = await startServer(programs, data, { ...settings, port: String(port) });
      },
      stop: async () => {
        await running.kill("SIGINT");
        await directory.remove();
      },
    };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

/** The folder of initdb and postgres: Debian has it on nobody's PATH. */
function findPrograms(): string {
  const folders = [...globSync("/usr/lib/postgresql/*/bin"), ...(process.env.PATH ?? "").split(":")];
  const found = folders.find((folder) => existsSync(join(folder, "initdb")));
  if (found === undefined)
    throw new Error("PostgreSQL is missing; on Debian and Ubuntu it is in the package postgresql");
  return found;
}

/** PostgreSQL refuses to be run by root: then its own user runs it. */
function asOwner(command: string, args: string[]): { command: string; args: string[] } {
  if (process.getuid?.() !== 0) return { command, args };
  return { command: "setpriv", args: ["--reuid=postgres", "--regid=postgres", "--clear-groups", command, ...args] };
}

function initialize(programs: string, directory: string, data: string): void {
  const passwordFile = join(directory, "password");
  writeFileSync(passwordFile, postgresPassword);
  if (process.getuid?.() === 0) {
    const idOf = (option: string) => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
    for (const path of [directory, passwordFile]) chownSync(path, idOf("-u"), idOf("-g"));
  }
  const settings = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  const owned = ["-D", data, "-U", user, `--pwfile=${passwordFile}`];
  const { command, args } = asOwner(join(programs, "initdb"), [...owned, ...settings]);
  execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
}

function startServer(programs: string, data: string, given: Readonly<Record<string, string>>): Promise<RunningProcess> {
  const settings = {
    ...given,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    // a title would overwrite the environment, by which a process that was left running is found
    update_process_title: "off",
    fsync: "off",
    full_page_writes: "off",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return startProcess({
    name: "PostgreSQL",
    ...asOwner(join(programs, "postgres"), ["-D", data, ...options]),
    readReady: (line) => (line.includes("is ready to accept connections") ? {} : undefined),
  });
}
