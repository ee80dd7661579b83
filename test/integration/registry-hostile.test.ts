import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import { createHttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { createScriptedRegistry, type ScriptedAnswer } from "../support/scripted-registry.ts";

const signal = AbortSignal.timeout(60_000);
const mebibyte = 1024 * 1024;
/** The longest page and manifest. */
const most = 4 * mebibyte;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const digestOf = (body: string | Uint8Array) => `sha256:${createHash("sha256").update(body).digest("hex")}`;
const filled = (begin: string, part: string, end: string) =>
  `${begin}${part.repeat(Math.floor((most - begin.length - end.length) / part.length))}${end}`;
const nested = (begin: string, end: string) => {
  const depth = (most - begin.length - end.length) / 2;
  return `${begin}${"[".repeat(depth)}${"]".repeat(depth)}${end}`;
};

/** A registry that answers everything but the ping with this, and a client of it. */
async function open(answer: ScriptedAnswer, challenge?: (url: string) => string) {
  const registry = createScriptedRegistry(({ path }) => {
    if (path !== "/v2/") return answer;
    const header = challenge?.(registry.url);
    return header === undefined ? { status: 200 } : { status: 401, headers: { "www-authenticate": header } };
  });
  await registry.start();
  const http = createHttpClient({ party: "REGISTRY", userAgent: "test" });
  stops.push(
    () => registry.stop(),
    () => http.stop(),
  );
  return { client: createRegistryClients({ http }).open(registry.url, registry.url), registry };
}

/** The outcome of a task, held to 5 s of time and 256 MiB of heap beyond what there was. */
async function bounded(task: () => Promise<unknown>): Promise<string> {
  const begun = performance.now();
  const before = process.memoryUsage().heapUsed;
  const outcome = await task().then(
    () => "fine",
    (thrown: unknown) => {
      assert.ok(thrown instanceof JobFailure, String(thrown));
      assert.ok(thrown.message.length < 500, `${thrown.message.length} characters`);
      return thrown.reason;
    },
  );
  const grown = (process.memoryUsage().heapUsed - before) / mebibyte;
  const ms = performance.now() - begun;
  assert.ok(ms < 5_000, `${Math.round(ms)} ms`);
  assert.ok(grown < 256, `${Math.round(grown)} MiB`);
  return outcome;
}

describe("a hostile registry gains nothing by", () => {
  const bombs: [what: string, body: string, asList: string][] = [
    ["4 MiB of brackets that are never closed", "[".repeat(most), "LIST_INVALID"],
    ["2 million lists in each other", nested("", ""), "LIST_INVALID"],
    ["2 million lists in each other as a name", nested('{"repositories":[', '],"tags":[]}'), "LIST_INVALID"],
    ["2 million lists in each other as layers", nested('{"config":{},"layers":', "}"), "LIST_INVALID"],
    ["a million empty objects", filled('{"repositories":[', "{},", "{}]}"), "LIST_INVALID"],
    ["a million names", filled('{"repositories":[', '"a",', '"b"]}'), "fine"],
    ["a name of 4 MiB", filled('{"repositories":["', "a", '"]}'), "fine"],
    ["4 MiB of escapes", filled('{"repositories":["', "\\u0041", '"]}'), "fine"],
    ["a prototype", '{"__proto__":{"repositories":["a"]},"repositories":null}', "fine"],
  ];
  for (const [what, body, asList] of bombs) {
    test(`${what}, in lists or manifests`, async () => {
      const { client } = await open({ status: 200, body });
      assert.equal(await bounded(() => client.catalog.listRepositories(undefined, signal)), asList);
      assert.equal(await bounded(() => client.getManifest("web", "1.0", signal)), "MANIFEST_INVALID");
      assert.equal(await bounded(() => client.catalog.resolveTag("web", "1.0", signal)), "MANIFEST_INVALID");
    });
  }

  test("a page or a manifest of more than 4 MiB", async () => {
    const { client } = await open({ status: 200, body: " ".repeat(most + 1) });
    for (const ask of [
      () => client.catalog.listRepositories(undefined, signal),
      () => client.catalog.listTags("web", undefined, signal),
      () => client.catalog.resolveTag("web", "1.0", signal),
    ])
      assert.equal(await bounded(ask), "REGISTRY_ANSWER_TOO_LARGE");
  });

  test("an answer that unpacks to a thousand times its size: nothing asks for such, and it is not unpacked", async () => {
    const manifest = JSON.stringify({ manifests: [] });
    const bomb = gzipSync(Buffer.alloc(256 * mebibyte, "["));
    const headers = { "content-encoding": "gzip", "docker-content-digest": digestOf(manifest) };
    const { client, registry } = await open({ status: 200, headers, body: bomb });
    const list = () => client.catalog.listRepositories(undefined, signal);
    await assert.rejects(list(), /came compressed \(gzip\), unasked/);
    assert.equal(await bounded(list), "REGISTRY_FAULT");
    assert.equal(await bounded(() => client.catalog.listTags("web", undefined, signal)), "REGISTRY_FAULT");
    assert.equal(await bounded(() => client.getManifest("web", "1.0", signal)), "DIGEST_MISMATCH");
    for (const { headers: asked } of registry.requests) assert.equal(asked["accept-encoding"], "identity");
  });

  test("an image of 10,000 layers", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 1 };
    const layer = { ...config, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
    const of = (count: number) => JSON.stringify({ schemaVersion: 2, config, layers: Array(count).fill(layer) });
    const { client } = await open({ status: 200, body: of(10_000) });
    await assert.rejects(client.getManifest("web", "1.0", signal), /lists 10000 layers/);
    assert.equal(await bounded(() => client.getManifest("web", "1.0", signal)), "MANIFEST_INVALID");
    const usual = await open({ status: 200, body: of(1_000) });
    assert.equal(await bounded(() => usual.client.getManifest("web", "1.0", signal)), "fine");
  });

  test("tokens that are large, or bombs", async () => {
    const realm = (url: string) => `Bearer realm="${url}/token"`;
    for (const body of [`{"token":"${"t".repeat(900_000)}"}`, `{"token":${"[".repeat(500_000)}`]) {
      const { client } = await open({ status: 200, body }, realm);
      const asked = () => client.catalog.listTags("web", undefined, signal);
      await assert.rejects(asked(), /gave no token/);
      assert.equal(await bounded(asked), "REGISTRY_AUTH_UNSUPPORTED");
    }
  });
});
