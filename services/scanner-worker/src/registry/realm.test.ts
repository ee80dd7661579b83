import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import { type NamedRealm, tokenServerOf } from "./realm.ts";

function serverOf(from: string, realm: string | undefined, options: Partial<NamedRealm> = {}): string {
  const { url, namedBy } = tokenServerOf({
    realm,
    from: new URL(from),
    hasCredential: true,
    tokenOrigins: [],
    ...options,
  });
  return `${url.href} named by ${namedBy ?? "the operator"}`;
}

function refuses(reason: string, words: string) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure);
    assert.deepEqual([thrown.reason, thrown.retryable], [reason, false]);
    assert.ok(thrown.message.includes(words), thrown.message);
    return true;
  };
}

describe("a token server", () => {
  const related: [registry: string, realm: string][] = [
    ["https://registry.example.com/v2/", "https://registry.example.com/token"],
    ["https://registry.example.com/v2/", "https://registry.example.com:8443/token"],
    ["https://registry.example.com/v2/", "https://auth.example.com/token"],
    ["https://example.com/v2/", "https://a.b.example.com/token"],
    ["https://registry-1.docker.io/v2/", "https://auth.docker.io/token"],
    ["https://registry.gitlab.com/v2/", "https://gitlab.com/jwt/auth"],
    ["https://registry.example.co.uk/v2/", "https://auth.example.co.uk/token"],
    ["http://registry.example.com:5000/v2/", "http://auth.example.com/token"],
    ["http://registry.example.com:5000/v2/", "https://auth.example.com/token"],
    ["http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/token"],
    ["http://[::1]:5000/v2/", "http://[::1]:5001/token"],
    ["http://registry:5000/v2/", "http://registry:5001/token"],
  ];
  for (const [registry, realm] of related) {
    test(`${realm} is asked with credentials when ${registry} names it`, () => {
      assert.equal(serverOf(registry, realm), `${realm} named by ${new URL(registry).hostname}`);
    });
  }

  const strangers: [registry: string, realm: string][] = [
    ["https://registry.example.com/v2/", "https://evil.test/token"],
    ["https://registry.example.com/v2/", "https://registry.example.com.evil.test/token"],
    ["https://registry.example.com/v2/", "https://evilexample.com/token"],
    ["https://registry.example.co.uk/v2/", "https://evil.co.uk/token"],
    ["https://one.github.io/v2/", "https://other.github.io/token"],
    ["https://one.s3.amazonaws.com/v2/", "https://other.s3.amazonaws.com/token"],
    ["http://registry:5000/v2/", "http://auth:5001/token"],
    ["http://10.0.0.1:5000/v2/", "http://10.0.0.2:5000/token"],
    ["http://localhost:5000/v2/", "http://127.0.0.1:5001/token"],
    ["https://registry.example.com/v2/", "https://user:password@evil.test/token"],
  ];
  for (const [registry, realm] of strangers) {
    test(`${realm} is given no credentials when ${registry} names it, unless the operator lists it`, () => {
      const { origin } = new URL(realm);
      assert.throws(
        () => serverOf(registry, realm),
        refuses("REGISTRY_REALM_REFUSED", `add ${origin} to DRYDOCK_REGISTRY_TOKEN_ORIGINS`),
      );
      assert.equal(serverOf(registry, realm, { tokenOrigins: [origin] }), `${realm} named by the operator`);
      assert.ok(serverOf(registry, realm, { hasCredential: false }).startsWith(realm));
    });
  }

  test("without https is never asked for an https registry, whoever lists it, with credentials or not", () => {
    for (const realm of ["http://registry.example.com/token", "http://core:8080/token"]) {
      const tokenOrigins = [new URL(realm).origin];
      for (const options of [{}, { tokenOrigins }, { hasCredential: false }]) {
        assert.throws(
          () => serverOf("https://registry.example.com/v2/", realm, options),
          refuses("REGISTRY_REALM_REFUSED", "or set DRYDOCK_REGISTRY_TOKEN_URL to an https:// URL"),
        );
      }
    }
  });

  test("must be a web address", () => {
    for (const realm of [undefined, "", "token", "/token", "ftp://auth.example.com/", "javascript:1"]) {
      assert.throws(
        () => serverOf("https://registry.example.com/v2/", realm),
        refuses("REGISTRY_AUTH_UNSUPPORTED", "names no token server; set DRYDOCK_REGISTRY_TOKEN_URL"),
      );
    }
  });
});
