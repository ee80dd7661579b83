import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import {
  createScriptedRegistry,
  registryError,
  type ScriptedAnswer,
  type ScriptedRegistry,
} from "../support/scripted-registry.ts";

const signal = new AbortController().signal;
const oci = "application/vnd.oci.image.manifest.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: `sha256:${"c".repeat(64)}`, size: 1 };
const layer = { ...config, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
const body = JSON.stringify({ schemaVersion: 2, config, layers: [layer] });
const digestOf = (bytes: string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const digest = digestOf(body);

function failsWith(reason: string) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.deepEqual([thrown.reason, thrown.retryable], [reason, false], thrown.message);
    return true;
  };
}

describe("a manifest as registries send it", () => {
  const started: ScriptedRegistry[] = [];
  let http: HttpClient;

  beforeEach(() => {
    http = createHttpClient({ party: "REGISTRY", userAgent: "drydock-scanner-worker/test" });
  });
  afterEach(async () => {
    await http.stop();
    await Promise.all(started.splice(0).map((registry) => registry.stop()));
  });

  /** Opens a registry that answers the ping with 200 and everything else with `answer`. */
  async function open(answer: ScriptedAnswer) {
    const registry = createScriptedRegistry(({ path }) => (path === "/v2/" ? { status: 200 } : answer));
    started.push(registry);
    await registry.start();
    return createRegistryClients({ http }).open(registry.url, registry.url);
  }

  for (const [name, headers] of [
    ["a generic Content-Type", { "content-type": "binary/octet-stream" }],
    ["no Content-Type", {}],
    ["the Content-Type of a page", { "content-type": "text/html; charset=utf-8" }],
    ["an empty digest", { "content-type": oci, "docker-content-digest": "" }],
    ["a digest that is none", { "content-type": oci, "docker-content-digest": "latest" }],
    ["the digest in quotes", { "content-type": oci, "docker-content-digest": `"${digest}"` }],
  ] as const) {
    test(`with ${name} is an image by its body`, async () => {
      const found = await (await open({ status: 200, headers, body })).getManifest("web", "1.0", signal);
      assert.deepEqual([found.kind, found.digest, found.mediaType], ["image", digest, oci]);
    });
  }

  test("has the digest of its bytes, whatever else a header tells", async () => {
    const headers = { "content-type": oci, "docker-content-digest": `sha256:${"0".repeat(64)}` };
    const client = await open({ status: 200, headers, body });
    await assert.rejects(client.getManifest("web", "1.0", signal), failsWith("DIGEST_MISMATCH"));
    const unnamed = await open({ status: 200, headers: { "docker-content-digest": "" }, body });
    await assert.rejects(unnamed.getManifest("web", digestOf("x"), signal), failsWith("DIGEST_MISMATCH"));
  });

  for (const type of ["application/octet-stream", "text/html", "application/json", ""]) {
    test(`is an image with a configuration of type ${type || "nothing"} in Docker's schema 2`, async () => {
      const text = JSON.stringify({
        schemaVersion: 2,
        mediaType: docker,
        config: { ...config, mediaType: type },
        layers: [layer],
      });
      const client = await open({ status: 200, headers: { "content-type": docker }, body: text });
      assert.equal((await client.getManifest("web", "1.0", signal)).kind, "image");
    });
  }

  test("is an error when it is no manifest at all", async () => {
    for (const text of ["<xml>", "{}", '{"errors":[]}', ""]) {
      for (const type of ["text/plain", "application/json", oci]) {
        const client = await open({ status: 200, headers: { "content-type": type }, body: text });
        await assert.rejects(client.getManifest("web", "1.0", signal), failsWith("MANIFEST_INVALID"));
      }
    }
  });

  test("is an error when it is a web page that the registry stores as one", async () => {
    const page = "<html>";
    const headers = { "content-type": "text/html", "docker-content-digest": digestOf(page) };
    const client = await open({ status: 200, headers, body: page });
    await assert.rejects(client.getManifest("web", "1.0", signal), failsWith("MANIFEST_INVALID"));
  });

  test("names a configuration, which is read when its digest is right", async () => {
    const right = await open({ status: 200, body });
    assert.equal(Buffer.from(await right.getConfig("web", digest, signal)).toString(), body);
    for (const [answer, reason] of [
      [{ status: 200, body: "{}" }, "DIGEST_MISMATCH"],
      [{ status: 404, body: registryError("BLOB_UNKNOWN") }, "LAYER_MISSING"],
      [{ status: 403, body: registryError("DENIED") }, "ACCESS_DENIED"],
    ] as const) {
      await assert.rejects((await open(answer)).getConfig("web", digest, signal), failsWith(reason));
    }
  });
});
