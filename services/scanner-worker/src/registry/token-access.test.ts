import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import type { Credential } from "./credential.ts";
import { createRegistryClients } from "./registry-clients.ts";
import { challenge, scriptedHttp } from "./test-kit.ts";
import { opensRepository } from "./token-access.ts";

const registry = "https://registry.example.com";
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
const jwt = (payload: unknown) => `${encode({ alg: "RS256" })}.${encode(payload)}.c2ln`;
const access = (...actions: string[]) => jwt({ access: [{ type: "repository", name: "library/web", actions }] });

describe("a token", () => {
  for (const [what, token, opens] of [
    ["with the right to pull", access("push", "pull"), true],
    ["with every right", access("*"), true],
    ["of a kind of repository", jwt({ access: [{ type: "repository(plugin)", actions: ["pull"] }] }), true],
    ["with the right to push alone", access("push"), false],
    ["with no right", access(), false],
    ["with rights to something else", jwt({ access: [{ type: "registry", actions: ["*"] }] }), false],
    ["without access", jwt({ access: [] }), false],
    ["without access, as Go says it", jwt({ access: null }), false],
    ["that tells nothing of access", jwt({ sub: "scanner" }), undefined],
    ["that has another form of access", jwt({ access: "pull" }), undefined],
    ["that is opaque", "djE6c2Nhbm5lcjox", undefined],
    ["that is no JSON", "a.b.c", undefined],
  ] as const) {
    test(`${what} ${opens === undefined ? "does not say whether it opens" : opens ? "opens" : "does not open"} a repository`, () => {
      assert.equal(opensRepository(`Bearer ${token}`), opens);
    });
  }

  test("is none that Basic or nothing stands for", () => {
    assert.equal(opensRepository(undefined), undefined);
    assert.equal(opensRepository(`Basic ${access("pull")}`), undefined);
  });
});

describe("an image that a registry says it does not have", () => {
  const anybody: Credential = { kind: "none" };
  const scanner: Credential = { kind: "basic", username: "scanner", password: "password" };
  for (const [whom, credential, token, fault] of [
    ["anybody's token that opens the repository", anybody, access("pull"), "job"],
    ["anybody's token that opens nothing", anybody, access(), "worker"],
    ["anybody's opaque token", anybody, "opaque", "worker"],
    ["a user's token that opens the repository", scanner, access("pull"), "job"],
    ["a user's token that opens nothing", scanner, access(), "worker"],
    ["a user's opaque token", scanner, "opaque", "job"],
  ] as const) {
    const isHidden = fault === "worker";
    test(`to ${whom} ${isHidden ? "may be hidden from this worker alone" : "is not there"}`, async () => {
      for (const code of ["NAME_UNKNOWN", "MANIFEST_UNKNOWN"]) {
        const http = scriptedHttp(({ url, headers }) => {
          if (url.includes("/token")) return { status: 200, body: JSON.stringify({ token }) };
          if (headers?.authorization === undefined) return challenge(`Bearer realm="${registry}/token"`);
          return { status: 404, body: JSON.stringify({ errors: [{ code }] }) };
        });
        const client = createRegistryClients({ http, credential }).open(registry, registry);
        await assert.rejects(client.getManifest("library/web", "1.0", new AbortController().signal), (thrown) => {
          assert.ok(thrown instanceof JobFailure);
          assert.deepEqual([thrown.fault, thrown.closesType, thrown.retryable], [fault, false, false]);
          assert.equal(/or hides it from this worker/.test(thrown.message), isHidden, thrown.message);
          return true;
        });
      }
    });
  }
});
