import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { sampleImage } from "@drydock/demo/images/sample-images.ts";
import { pushImage } from "@drydock/demo/registry/push-image.ts";
import { createRegistry, type Registry } from "@drydock/demo/registry/registry.ts";
import type { TokenAnswer } from "@drydock/demo/registry/token-server.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { Credential } from "@drydock/scanner-worker/registry/credential.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";

const signal = new AbortController().signal;
const web = sampleImage("library/web:1.0");

function failsWith(reason: string, retryable: boolean) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.deepEqual([thrown.reason, thrown.retryable], [reason, retryable], thrown.message);
    assert.doesNotMatch(thrown.message, /password|Basic |Bearer |\?/);
    return true;
  };
}

describe("the registry client with a real registry", () => {
  let registry: Registry;
  let http: HttpClient;
  const answers: TokenAnswer[] = [];

  before(async () => {
    registry = createRegistry({ tokens: { onToken: async () => answers.shift() } });
    await registry.start();
    await pushImage({ url: registry.url, ...registry.writer }, web);
  });
  after(() => registry.stop());
  beforeEach(() => {
    http = createHttpClient({ party: "REGISTRY", userAgent: "drydock-scanner-worker/test" });
    registry.tokens.requests.length = 0;
    answers.length = 0;
  });
  afterEach(() => http.stop());

  function open(credential: Credential = { kind: "basic", ...registry.reader }) {
    return createRegistryClients({ http, credential }).open(registry.url, "http://seen-by-scanner:5000");
  }

  test("finds what a tag stands for, with one token for all requests of a repository", async () => {
    const client = open();
    const [manifest] = await Promise.all([
      client.getManifest("library/web", "1.0", signal),
      client.getManifest("library/web", web.digest, signal),
      client.hasBlob("library/web", web.digest, signal),
    ]);
    assert.equal(manifest.kind, "image");
    assert.equal(manifest.digest, web.digest);
    assert.deepEqual(
      manifest.kind === "image" && manifest.layers.map(({ digest }) => digest),
      web.blobs.slice(1).map(({ digest }) => digest),
    );
    assert.deepEqual(
      registry.tokens.requests.map(({ account, scopes }) => [account, scopes]),
      [["scanner", ["repository:library/web:pull"]]],
    );
  });

  test("knows which blobs there are", async () => {
    const client = open();
    assert.equal(await client.hasBlob("library/web", web.blobs[0]?.digest ?? "", signal), true);
    assert.equal(await client.hasBlob("library/web", `sha256:${"0".repeat(64)}`, signal), false);
  });

  test("hands over what is needed to fetch a blob, and something else when that was refused", async () => {
    const client = open();
    const headers = await client.blobHeaders("library/web", signal);
    const blob = await fetch(`${registry.url}/v2/library/web/blobs/${web.blobs[1]?.digest}`, { headers });
    assert.deepEqual(Buffer.from(await blob.arrayBuffer()), web.blobs[1]?.bytes);
    assert.deepEqual(await client.blobHeaders("library/web", signal), headers);
    answers.push({ lifetimeSeconds: 200 });
    assert.notDeepEqual(await client.blobHeaders("library/web", signal, true), headers);
    assert.equal(
      client.blobUrl("library/web", web.digest),
      `http://seen-by-scanner:5000/v2/library/web/blobs/${web.digest}`,
    );
  });

  test("gets another token when the registry refuses the one it has", async () => {
    answers.push({ lifetimeSeconds: 0, expiresInSeconds: 300 });
    const manifest = await open().getManifest("library/web", "1.0", signal);
    assert.equal(manifest.digest, web.digest);
    assert.equal(registry.tokens.requests.length, 2);
  });

  test("fails for good with a wrong password, and asks the token server once", async () => {
    const client = open({ kind: "basic", username: registry.reader.username, password: "wrong" });
    await assert.rejects(client.getManifest("library/web", "1.0", signal), failsWith("REGISTRY_AUTH_REJECTED", false));
    assert.equal(registry.tokens.requests.length, 1);
  });

  test("fails for good without credentials where some are needed", async () => {
    const client = open({ kind: "none" });
    await assert.rejects(client.getManifest("library/web", "1.0", signal), failsWith("REGISTRY_AUTH_REJECTED", false));
  });

  test("fails for good when the tag is not there", async () => {
    await assert.rejects(open().getManifest("library/web", "2.0", signal), failsWith("MANIFEST_UNKNOWN", false));
    await assert.rejects(open().getManifest("library/no", "1.0", signal), failsWith("MANIFEST_UNKNOWN", false));
  });

  test("fails for now when the token server fails", async () => {
    answers.push({ status: 503 });
    const client = open();
    await assert.rejects(client.getManifest("library/web", "1.0", signal), failsWith("REGISTRY_FAULT", true));
    assert.equal((await client.getManifest("library/web", "1.0", signal)).digest, web.digest);
  });
});
