import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endpoints } from "../domain/endpoint.ts";
import { type FollowedRequest, sendFollowing } from "./redirects.ts";
import { type Answer, failsWith, scriptedHttp, to } from "./test-kit.ts";

const ok: Answer = { status: 200 };

/** Answers by URL, and with 200 where nothing is told. */
function follow(first: string, answers: Record<string, Answer>, options: Partial<FollowedRequest> = {}) {
  const http = scriptedHttp(({ url }) => answers[url] ?? ok);
  const answer = sendFollowing(http, {
    method: "GET",
    url: new URL(first),
    authorization: "Basic secret",
    elsewhere: "follow",
    endpoint: endpoints.registry,
    timeoutMs: 1_000,
    maxBytes: 1_000,
    signal: new AbortController().signal,
    ...options,
  });
  const asked = () =>
    http.requests.map(({ url, headers, namedBy }) => [
      url,
      headers?.authorization !== undefined,
      namedBy ?? "operator",
    ]);
  return { answer, asked };
}

describe("a redirect", () => {
  for (const status of [301, 302, 303, 307, 308]) {
    test(`of status ${status} within the origin is followed with the credentials`, async () => {
      const { answer, asked } = follow("http://a.test/v2/", { "http://a.test/v2/": to("/registry/v2/", status) });
      const { url, isHome } = await answer;
      assert.deepEqual([url.href, isHome], ["http://a.test/registry/v2/", true]);
      assert.deepEqual(asked().at(-1), ["http://a.test/registry/v2/", true, "operator"]);
    });
  }

  test("from http to https on the same host is followed with the credentials, and not back", async () => {
    const up = { "http://a.test:5000/v2/": to("https://a.test/v2/") };
    const { answer, asked } = follow("http://a.test:5000/v2/", up, { elsewhere: "refuse" });
    assert.equal((await answer).isHome, true);
    assert.deepEqual(asked().at(-1), ["https://a.test/v2/", true, "operator"]);
    const back = follow("http://a.test:5000/v2/", { ...up, "https://a.test/v2/": to("http://a.test:5000/x") });
    await assert.rejects(back.answer, failsWith("REGISTRY_REDIRECT_REFUSED", "from https to http"));
    assert.equal(back.asked().length, 2);
  });

  for (const [from, target] of [
    ["https://a.test/", "https://storage.test/blob?signed=1"],
    ["https://a.test/", "https://a.test:8443/blob"],
    ["https://a.test/", "https://x.a.test/blob"],
    ["http://a.test/", "http://a.test:8080/blob"],
    ["http://a.test/", "https://storage.test/blob"],
  ] as const) {
    test(`from ${from} to ${target} is followed without the credentials`, async () => {
      const { answer, asked } = follow(from, { [from]: to(target) });
      assert.equal((await answer).isHome, false);
      assert.deepEqual(asked().at(-1), [target, false, "a.test"]);
    });

    test(`from ${from} to ${target} is refused where nothing is meant to be elsewhere`, async () => {
      const { answer, asked } = follow(from, { [from]: to(target) }, { elsewhere: "refuse" });
      await assert.rejects(
        answer,
        failsWith("REGISTRY_REDIRECT_REFUSED", "if it is right, name the address there in DRYDOCK_REGISTRY_URL"),
      );
      assert.equal(asked().length, 1);
    });
  }

  test("from elsewhere back home brings no credentials there", async () => {
    const { answer, asked } = follow("https://a.test/", {
      "https://a.test/": to("https://evil.test/"),
      "https://evil.test/": to("https://a.test/secret"),
    });
    assert.equal((await answer).isHome, false);
    assert.deepEqual(asked().at(-1), ["https://a.test/secret", false, "a.test"]);
  });

  test("from https to http is refused, on the same host and elsewhere", async () => {
    for (const target of ["http://a.test/v2/", "http://storage.test/blob?signed=1"]) {
      const { answer, asked } = follow("https://a.test/v2/", { "https://a.test/v2/": to(target) });
      await assert.rejects(answer, failsWith("REGISTRY_REDIRECT_REFUSED", "X-Forwarded-Proto"));
      assert.equal(asked().length, 1);
    }
  });

  test("is followed five times in a row, and no more", async () => {
    const chain = (length: number) =>
      Object.fromEntries(Array.from({ length }, (_, at) => [`http://a.test/${at}`, to(`/${at + 1}`)]));
    assert.equal((await follow("http://a.test/0", chain(5)).answer).url.href, "http://a.test/5");
    const { answer, asked } = follow("http://a.test/0", chain(6));
    await assert.rejects(answer, failsWith("REGISTRY_FAULT", "a.test redirects in a circle, or more than 5 times"));
    assert.equal(asked().length, 6);
  });

  test("to itself is a loop", async () => {
    const { answer } = follow("http://a.test/token", { "http://a.test/token": to("/token") });
    await assert.rejects(answer, failsWith("REGISTRY_FAULT", "a.test redirects in a circle"));
  });

  test("to what is no web address is a fault, and one without an address an answer", async () => {
    for (const location of ["file:///etc/passwd", "ftp://a.test/", "http://"]) {
      const { answer } = follow("http://a.test/", { "http://a.test/": to(location) });
      await assert.rejects(answer, failsWith("REGISTRY_FAULT", "no web address"));
    }
    assert.equal((await follow("http://a.test/", { "http://a.test/": { status: 307 } }).answer).status, 307);
  });

  test("of a token server that was named by the registry stays named by it", async () => {
    const { answer, asked } = follow(
      "https://auth.a.test/",
      { "https://auth.a.test/": to("/again") },
      { namedBy: "a.test" },
    );
    await answer;
    assert.deepEqual(asked(), [
      ["https://auth.a.test/", true, "a.test"],
      ["https://auth.a.test/again", true, "a.test"],
    ]);
  });
});
