import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerRemedy, endpoints, nameOf } from "./endpoint.ts";

describe("an endpoint in messages", () => {
  test("has its name and its host", () => {
    assert.equal(nameOf(endpoints.tokenServer, "auth.test:8443"), "the token server at auth.test:8443");
  });

  for (const [status, url, check] of [
    [400, "http://clair:6060/v1", "check whether DRYDOCK_CLAIR_URL should be https://"],
    [400, "https://clair:6060/v1", "check DRYDOCK_CLAIR_URL"],
    [404, "http://clair:6060/v1", "check DRYDOCK_CLAIR_URL"],
  ] as const) {
    test(`that answers ${status} at ${url} leads to: ${check}`, () => {
      assert.equal(answerRemedy(endpoints.scanner, new URL(url), status), check);
    });
  }
});
