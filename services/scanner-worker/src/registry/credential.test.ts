import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { authorizationOf, fingerprint, mayReceiveCredential } from "./credential.ts";

const allowed = (registry: string, realm: string, trustedOrigins: string[] = []) =>
  mayReceiveCredential(new URL(realm), { registryUrl: new URL(registry), trustedOrigins });

describe("a token server gets the credential", () => {
  test("over https, wherever it is", () => {
    assert.equal(allowed("https://registry.example", "https://auth.example/token"), true);
    assert.equal(allowed("http://registry.example", "https://auth.example/token"), true);
  });

  test("over http only on the registry's own host, when that speaks http too", () => {
    assert.equal(allowed("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"), true);
    assert.equal(allowed("http://registry.example", "http://other.example/token"), false);
    assert.equal(allowed("https://registry.example", "http://registry.example/token"), false);
  });

  test("over http anywhere else only when the operator trusts the origin", () => {
    assert.equal(allowed("https://registry.example", "http://core:8080/token", ["http://core:8080"]), true);
    assert.equal(allowed("https://registry.example", "http://core:8081/token", ["http://core:8080"]), false);
  });
});

test("a credential is proven by Basic in UTF-8", () => {
  assert.equal(authorizationOf({ kind: "basic", username: "Zoë", password: "p:w" }), "Basic Wm/DqzpwOnc=");
  assert.equal(authorizationOf({ kind: "none" }), undefined);
});

test("fingerprints tell credentials apart and do not hold them", () => {
  const one = fingerprint({ kind: "basic", username: "a", password: "secret" });
  assert.notEqual(one, fingerprint({ kind: "basic", username: "b", password: "secret" }));
  assert.notEqual(one, fingerprint({ kind: "none" }));
  assert.ok(!one.includes("secret"));
});
