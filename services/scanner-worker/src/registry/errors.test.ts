import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refusal } from "./errors.ts";

function refuse(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = { status, headers, body: new TextEncoder().encode(text) };
  return refusal({ subject: "library/web:1.0", response, now: 0 });
}

const errors = (code: string, message = "no") => ({ errors: [{ code, message, detail: null }] });

describe("a registry's refusal", () => {
  const cases: [status: number, body: unknown, reason: string, retryable: boolean][] = [
    [401, errors("UNAUTHORIZED"), "ACCESS_DENIED", false],
    [403, errors("DENIED"), "ACCESS_DENIED", false],
    [404, errors("NAME_UNKNOWN"), "REPOSITORY_UNKNOWN", false],
    [404, errors("MANIFEST_UNKNOWN"), "MANIFEST_UNKNOWN", false],
    [404, "<html>", "MANIFEST_UNKNOWN", false],
    [412, errors("PROJECT_POLICY_VIOLATION"), "PULL_BLOCKED", false],
    [429, errors("TOOMANYREQUESTS"), "REGISTRY_RATE_LIMITED", true],
    [500, "", "REGISTRY_FAULT", true],
    [503, errors("UNAVAILABLE"), "REGISTRY_FAULT", true],
    [400, errors("TAG_INVALID"), "REGISTRY_REFUSED", false],
    [405, { errors: [] }, "REGISTRY_REFUSED", false],
  ];
  for (const [status, body, reason, retryable] of cases) {
    test(`${status} ${JSON.stringify(body)} is ${reason}`, () => {
      const failure = refuse(status, body);
      assert.equal(failure.reason, reason);
      assert.equal(failure.retryable, retryable);
      assert.match(failure.message, /library\/web:1\.0|registry/);
    });
  }

  const hint = "; if docker.io is the registry's host, leave it out of the repository";
  for (const [subject, words] of [
    ["docker.io/library/debian:12", hint],
    ["docker.io/library/debian@sha256:0", hint],
    ["docker.io/debian:12 at storage.test:8443, where it redirects to", hint],
    ["library/docker.io:1.0", ""],
    ["debian:12", ""],
    ["debian:12 at storage.test:8443, where it redirects to", ""],
  ] as const) {
    test(`of ${subject} has ${words === "" ? "no hint" : "the hint"} that its host is too much`, () => {
      const answers: [number, string][] = [
        [404, "NAME_UNKNOWN"],
        [404, "MANIFEST_UNKNOWN"],
        [401, "UNAUTHORIZED"],
      ];
      for (const [status, code] of answers) {
        const response = { status, headers: {}, body: new TextEncoder().encode(JSON.stringify(errors(code))) };
        const { message } = refusal({ subject, response, now: 0 });
        assert.equal(/; if .*/.exec(message)?.[0] ?? "", words, message);
      }
    });
  }

  test("of what a token does not open may be the lack of better credentials", () => {
    for (const code of ["NAME_UNKNOWN", "MANIFEST_UNKNOWN"]) {
      const response = { status: 404, headers: {}, body: new TextEncoder().encode(JSON.stringify(errors(code))) };
      const request = { subject: "library/web:1.0", response, now: 0 };
      const hidden = refusal({ ...request, mayBeHidden: true });
      assert.deepEqual([hidden.fault, hidden.closesType, hidden.retryable], ["worker", false, false]);
      assert.match(hidden.message, /hides it from this worker/);
      assert.equal(refusal(request).fault, "job");
    }
  });

  test("tells when to come back, if the registry did", () => {
    assert.equal(refuse(429, "", { "retry-after": "5" }).retryAfterMs, 5_000);
    assert.equal(refuse(503, "", { "retry-after": "9" }).retryAfterMs, 9_000);
    assert.equal(refuse(429, "").retryAfterMs, undefined);
  });

  test("quotes the registry in one short line", () => {
    const { message } = refuse(400, errors("NAME_INVALID", `bad\n\u001b[31m${"x".repeat(2_000)}`));
    assert.ok(message.length < 400);
    assert.doesNotMatch(message, /\p{Cc}/u);
  });
});
