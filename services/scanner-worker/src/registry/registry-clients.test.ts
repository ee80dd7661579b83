import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HttpRequest } from "./http-exchange.ts";
import { createRegistryClients } from "./registry-clients.ts";
import { type Answer, challenge, scriptedHttp } from "./test-kit.ts";

const signal = new AbortController().signal;
const limited: Answer = { status: 429, headers: { "retry-after": "30" } };

/** Clients of registries that answer so, and a clock to be moved. */
function open(script: (request: HttpRequest) => Answer) {
  let now = 0;
  const http = scriptedHttp(script);
  const clients = createRegistryClients({ http, clock: { now: () => now } });
  const resolve = (url: string, scannerUrl = url) =>
    clients.open(url, scannerUrl).catalog.resolveTag("a/b", "1", signal);
  return { http, resolve, advance: (ms: number) => (now += ms) };
}

describe("a pause that a registry's host asks for", () => {
  test("holds for all clients of the host, and for no other host", async () => {
    const gone = { status: 404, headers: { "docker-distribution-api-version": "registry/2.0" } };
    const { http, resolve, advance } = open(({ url }) => {
      if (url.endsWith("/v2/")) return { status: 200 };
      return url.startsWith("https://one.test") ? limited : gone;
    });
    const manifests = () => http.requests.filter(({ url }) => url.includes("/manifests/")).length;
    const isPaused = { reason: "REGISTRY_RATE_LIMITED" };
    await assert.rejects(resolve("https://one.test"), isPaused);
    await assert.rejects(resolve("https://one.test", "https://seen.test"), isPaused);
    await assert.rejects(resolve("https://one.test/below"), isPaused);
    assert.equal(manifests(), 1);
    assert.equal(await resolve("https://two.test"), undefined);
    advance(30_000);
    await assert.rejects(resolve("https://one.test/below"), isPaused);
    assert.equal(manifests(), 3);
  });

  test("may be asked for by its token server", async () => {
    const { http, resolve } = open(({ url }) =>
      url.includes("/token") ? limited : challenge('Bearer realm="https://one.test/token"'),
    );
    for (let times = 0; times < 3; times += 1)
      await assert.rejects(resolve("https://one.test"), { reason: "REGISTRY_RATE_LIMITED" });
    assert.deepEqual(
      http.requests.map(({ url }) => url.split("?")[0]),
      ["https://one.test/v2/", "https://one.test/token"],
    );
  });
});
