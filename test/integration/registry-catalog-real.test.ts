import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { sampleImage } from "@drydock/demo/images/sample-images.ts";
import { pushImage } from "@drydock/demo/registry/push-image.ts";
import { createRegistry, type Registry } from "@drydock/demo/registry/registry.ts";
import type { RegistryCatalog } from "@drydock/scanner-worker/jobs/registry-catalog.ts";
import type { Credential } from "@drydock/scanner-worker/registry/credential.ts";
import { createHttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { createLimitingRegistry } from "../support/limiting-registry.ts";
import { startPlainRegistry } from "../support/plain-registry.ts";
import { readRepositories, readTags } from "../support/registry-lists.ts";

const signal = AbortSignal.timeout(60_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function open(url: string, credential: Credential = { kind: "none" }): RegistryCatalog {
  const http = createHttpClient({ party: "REGISTRY", userAgent: "test" });
  stops.push(() => http.stop());
  return createRegistryClients({ http, credential }).open(url, url).catalog;
}

describe("the lists of a real registry", () => {
  let registry: Registry;
  before(async () => {
    registry = createRegistry();
    await registry.start();
    const target = { url: registry.url, ...registry.writer };
    for (const name of ["library/web:1.0", "library/debian:7"]) {
      await pushImage(target, sampleImage(name));
      await pushImage(target, { ...sampleImage(name), tag: "other" });
    }
  });
  after(() => registry.stop());

  test("are read with one token for the catalog and one for each repository", async () => {
    registry.tokens.requests.length = 0;
    const catalog = open(registry.url, { kind: "basic", ...registry.reader });
    assert.deepEqual(await readRepositories(catalog, signal), [["library/debian", "library/web"]]);
    assert.deepEqual(
      (await readTags(catalog, "library/web", signal)).map((page) => page.sort()),
      [["1.0", "other"]],
    );
    assert.deepEqual(await readTags(catalog, "library/no", signal), [[]]);
    const web = sampleImage("library/web:1.0");
    const found = { digest: web.digest, mediaType: web.mediaType };
    for (const tag of ["1.0", "other", "1.0"])
      assert.deepEqual(await catalog.resolveTag("library/web", tag, signal), found);
    assert.equal(await catalog.resolveTag("library/web", "gone", signal), undefined);
    assert.deepEqual(
      registry.tokens.requests.map(({ scopes }) => scopes.join(" ")),
      ["registry:catalog:*", "repository:library/web:pull", "repository:library/no:pull"],
    );
  });

  test("are not shown to who may only pull, with a remedy", async () => {
    const catalog = open(registry.url);
    await assert.rejects(catalog.listRepositories(undefined, signal), {
      reason: "CATALOG_REFUSED",
      message: /wants credentials.*; or name repositories in the parameters$/,
    });
  });

  test("come in pages as large as the registry allows", async () => {
    const names = Array.from({ length: 250 }, (_, number) => `many/r${String(number).padStart(3, "0")}`);
    const made = await startPlainRegistry({
      config: { catalog: { maxentries: 100 } },
      prepare: (folder) => {
        const root = join(folder, "storage/docker/registry/v2/repositories");
        return Promise.all(names.map((name) => mkdir(join(root, name, "_layers"), { recursive: true })));
      },
    });
    stops.push(() => made[Symbol.asyncDispose]());
    const asked: string[] = [];
    const target = `http://${made.address}`;
    const counting = createLimitingRegistry(target, { manifests: 1, perMs: 1, onRequest: (line) => asked.push(line) });
    await counting.start();
    stops.push(() => counting.stop());
    const catalog = open(counting.url);
    const pages = await readRepositories(catalog, signal);
    assert.deepEqual(pages.flat(), names);
    assert.deepEqual(
      pages.map(({ length }) => length),
      [100, 100, 50],
    );
    await catalog.listRepositories(undefined, signal);
    assert.deepEqual(
      asked.filter((line) => line.includes("_catalog")),
      [
        "GET /v2/_catalog?n=1000",
        "GET /v2/_catalog?n=100",
        "GET /v2/_catalog?last=many%2Fr099&n=100",
        "GET /v2/_catalog?last=many%2Fr199&n=100",
        "GET /v2/_catalog?n=100",
      ],
    );
  });
});
