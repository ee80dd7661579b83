import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startProcess } from "@drydock/demo/stack/processes.ts";
import { createTemporaryDirectory } from "@drydock/demo/stack/temporary-directory.ts";

/** A real registry that anybody may use. */
export interface PlainRegistry extends AsyncDisposable {
  /** E.g. 127.0.0.1:40000. */
  readonly address: string;
}

/** How it is started. */
export interface PlainRegistryOptions {
  /** Settings of docker-registry beside its address and its storage, by their sections. */
  config?: { http?: object; catalog?: object };
  /** Puts files into its folder before it starts. */
  prepare?: (folder: string) => Promise<unknown>;
}

/** Starts a docker-registry without authentication on a free port, with its storage in `storage` of a folder of its own. */
export async function startPlainRegistry({ config = {}, prepare }: PlainRegistryOptions): Promise<PlainRegistry> {
  const folder = await createTemporaryDirectory("plain-registry");
  try {
    await prepare?.(folder.path);
    const whole = {
      ...config,
      version: 0.1,
      http: { addr: "127.0.0.1:0", secret: "drydock", ...config.http },
      storage: { filesystem: { rootdirectory: join(folder.path, "storage") } },
    };
    const path = join(folder.path, "config.yml");
    // Every JSON document is a YAML document; paths in it may begin with the folder.
    await writeFile(path, JSON.stringify(whole).replaceAll("$FOLDER", folder.path));
    const registry = await startProcess({
      name: "the registry",
      command: "docker-registry",
      args: ["serve", path],
      env: { OTEL_TRACES_EXPORTER: "none" },
      readReady: (line) => {
        const address = /msg="listening on ([^",]+)/.exec(line)?.[1];
        return address === undefined ? undefined : { address };
      },
      installHint: "on Debian and Ubuntu it is in the package docker-registry",
    });
    const stop = async () => {
      await registry.stop();
      await folder.remove();
    };
    return { address: String(registry.ready.address), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
