import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRegistry, type Registry } from "@drydock/demo/registry/registry.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { Credential } from "@drydock/scanner-worker/registry/credential.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";

const { signal } = new AbortController();

describe("a probe of a real registry", () => {
  let registry: Registry;
  let http: HttpClient;
  before(async () => {
    registry = createRegistry();
    await registry.start();
    http = createHttpClient({ party: "REGISTRY", userAgent: "drydock-scanner-worker/test" });
  });
  after(() => Promise.all([http.stop(), registry.stop()]));

  const probe = (credential: Credential) =>
    createRegistryClients({ http, credential }).open(registry.url, registry.url).probe(signal);

  test("passes with a credential that it takes, by a token for nothing, and without one", async () => {
    await probe({ kind: "basic", ...registry.reader });
    assert.equal(registry.tokens.requests.length, 1);
    await probe({ kind: "none" });
    assert.equal(registry.tokens.requests.length, 2);
  });

  test("says that a wrong password is the worker's fault", async () => {
    const wrong = { kind: "basic", username: registry.reader.username, password: "secret-4711" } as const;
    await assert.rejects(probe(wrong), (thrown) => {
      assert.ok(thrown instanceof JobFailure);
      assert.deepEqual([thrown.reason, thrown.fault], ["REGISTRY_AUTH_REJECTED", "worker"]);
      assert.doesNotMatch(thrown.message, /4711|Basic/);
      return true;
    });
  });

  test("says that a registry that is gone is the outside's fault", async () => {
    await registry.process.stop();
    await assert.rejects(probe({ kind: "none" }), (thrown) => {
      assert.ok(thrown instanceof JobFailure);
      assert.deepEqual([thrown.reason, thrown.fault], ["REGISTRY_UNREACHABLE", "outside"]);
      return true;
    });
  });
});
