import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizationOf, fingerprint } from "./credential.ts";

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
