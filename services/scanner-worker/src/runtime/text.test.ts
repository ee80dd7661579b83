import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { boundAddress } from "@drydock/shared/listen.ts";
import { cutBytes, messageOf } from "./text.ts";

describe("cutBytes", () => {
  test("leaves a text that fits as it is", () => {
    assert.equal(cutBytes("naïve", 6), "naïve");
  });

  test("never cuts within a character", () => {
    assert.equal(cutBytes("aé", 2), "a");
    assert.equal(cutBytes("a😀b", 4), "a");
    assert.equal(cutBytes("a😀b", 5), "a😀");
  });
});

describe("messageOf", () => {
  const system = (facts: object) => Object.assign(new Error("connect to http://user:secret@host"), facts);
  const refused = system({ code: "ECONNREFUSED", address: "127.0.0.1", port: 80 });
  const failed = (cause: unknown) => new TypeError("fetch failed", { cause });

  for (const [what, error, message] of [
    ["a refused connection", failed(refused), "fetch failed: ECONNREFUSED 127.0.0.1:80"],
    ["an unknown name", failed(system({ code: "ENOTFOUND", hostname: "no.test" })), "fetch failed: ENOTFOUND no.test"],
    ["all addresses of a name", failed(new AggregateError([refused])), "fetch failed: ECONNREFUSED 127.0.0.1:80"],
    ["no address", failed(new AggregateError([])), "fetch failed"],
    ["a cause without an address", failed(system({ code: "CERT_HAS_EXPIRED" })), "fetch failed: CERT_HAS_EXPIRED"],
    [
      "a cause below another",
      new Error("no advisories", { cause: failed(refused) }),
      "no advisories: ECONNREFUSED 127.0.0.1:80",
    ],
    [
      "a cause that it names itself",
      new Error("no file: ENOENT", { cause: system({ code: "ENOENT" }) }),
      "no file: ENOENT",
    ],
    ["a cause without a code", failed(new Error("secret")), "fetch failed"],
    ["a cause that is no error", failed("secret"), "fetch failed"],
    ["a code that is a number", failed(new DOMException("secret", "AbortError")), "fetch failed"],
    ["no message", new RangeError(""), "RangeError"],
    ["what is no error", "text", "text"],
    ["what has no text", Object.create(null), "what was thrown can't be shown"],
  ] as const) {
    test(`tells of ${what}`, () => assert.equal(messageOf(error), message));
  }

  test("ends when a cause is its own", () => {
    const error = new Error("round");
    error.cause = error;
    assert.equal(messageOf(error), "round");
  });

  test("tells what fetch itself throws", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = boundAddress(server);
    server.close();
    await once(server, "close");
    const thrown = await fetch(`http://${address}/`).catch((error: unknown) => error);
    assert.equal(messageOf(thrown), `fetch failed: ECONNREFUSED ${address}`);
  });
});
