import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sampleImage } from "@drydock/demo/images/sample-images.ts";
import { type RunningProcess, startProcess } from "@drydock/demo/stack/processes.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "@drydock/demo/stack/temporary-directory.ts";
import { composeFile } from "../support/compose-file.ts";

const programs = join(import.meta.dirname, "..", "..", "demo", "src", "compose");
const image = sampleImage("library/debian:7");
const manifestPath = `/v2/${image.repository}/manifests/${image.tag}`;

/** The environment of a service of compose.yaml, each text of the first column changed to that of the second. */
function environmentOf(service: string, changes: [string, string][]): Record<string, string> {
  const given = Object.entries(composeFile.services[service]?.environment ?? {});
  const changed = given.map(([name, value]) => [
    name,
    changes.reduce((text, [from, to]) => text.replace(from, to), value ?? ""),
  ]);
  return Object.fromEntries(changed);
}

describe("the demo of compose.yaml, with its parts as processes of this machine", () => {
  let folder: TemporaryDirectory;
  let tokenServer: RunningProcess;
  let registry: RunningProcess;

  const startTokenServer = (listen: string) =>
    startProcess({
      name: "token server",
      command: process.execPath,
      args: [join(programs, "token-server.ts")],
      env: environmentOf("token-server", [
        ["0.0.0.0:5001", listen],
        ["/data", folder.path],
      ]),
    });

  before(async () => {
    folder = await createTemporaryDirectory("compose-demo");
    tokenServer = await startTokenServer("127.0.0.1:0");
    // as the image of the registry has it
    const config = { version: 0.1, storage: { filesystem: {} }, http: { addr: "127.0.0.1:0" } };
    const configPath = join(folder.path, "config.yml");
    await writeFile(configPath, JSON.stringify(config));
    const changes: [string, string][] = [
      ["http://token-server:5001/token", String(tokenServer.ready.url)],
      ["/data", folder.path],
    ];
    registry = await startProcess({
      name: "the registry",
      command: "docker-registry",
      args: ["serve", configPath],
      env: { ...environmentOf("registry", changes), REGISTRY_LOG_LEVEL: "info" },
      readReady: (line) => {
        const address = /msg="listening on ([^"]+)"/.exec(line)?.[1];
        return address === undefined ? undefined : { address };
      },
    });
    const pusher = await startProcess({
      name: "sample images",
      command: process.execPath,
      args: [join(programs, "sample-images.ts")],
      env: environmentOf("sample-images", [["registry:5000", String(registry.ready.address)]]),
      readReady: (line) => (line.includes("pushed ") ? {} : undefined),
    });
    assert.deepEqual(await pusher.exited, { code: 0, signal: null });
  });
  after(async () => {
    await Promise.all([tokenServer?.stop(), registry?.stop()]);
    await folder?.remove();
  });

  async function askForToken(action: string): Promise<string> {
    const url = new URL(String(tokenServer.ready.url));
    url.searchParams.set("service", "drydock-sample-registry");
    url.searchParams.set("scope", `repository:${image.repository}:${action}`);
    const { token } = (await (await fetch(url)).json()) as { token: string };
    return token;
  }

  async function statusWith(token: string, method: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}`, accept: image.mediaType, "content-type": image.mediaType };
    const body = method === "PUT" ? image.manifest : null;
    const response = await fetch(`http://${registry.ready.address}${manifestPath}`, { method, headers, body });
    await response.arrayBuffer();
    return response.status;
  }

  test("lets everybody pull the sample images, and nobody push", async () => {
    assert.equal(await statusWith(await askForToken("pull"), "GET"), 200);
    assert.equal(await statusWith(await askForToken("push"), "PUT"), 401);
  });

  test("gives tokens after a restart of the token server that a registry takes which was not restarted", async () => {
    const before = await askForToken("pull");
    await tokenServer.stop();
    tokenServer = await startTokenServer(new URL(String(tokenServer.ready.url)).host);
    assert.equal(await statusWith(before, "GET"), 200);
    assert.equal(await statusWith(await askForToken("pull"), "GET"), 200);
  });
});
