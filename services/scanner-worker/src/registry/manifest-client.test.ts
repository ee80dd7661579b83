import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import type { HttpRequest } from "./http-exchange.ts";
import { createRegistryClients } from "./registry-clients.ts";
import { type Answer, failsWith, scriptedHttp, to } from "./test-kit.ts";

const signal = new AbortController().signal;
const mediaType = "application/vnd.oci.image.index.v1+json";
const body = JSON.stringify({ manifests: [] });
const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
const other = `sha256:${"0".repeat(64)}`;
const api = { "docker-distribution-api-version": "registry/2.0" };
const told = { "docker-content-digest": digest, "content-type": `${mediaType}; charset=utf-8`, etag: `"${digest}"` };
const head: Answer = { status: 200, headers: told };
const whole: Answer = { status: 200, headers: told, body };
const gone: Answer = { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' };
const is = { digest, mediaType };

/** Resolves tags by a registry that answers HEAD and GET of manifests so. */
function open(answers: Partial<Record<HttpRequest["method"], Answer>>, elsewhere?: Answer) {
  const script = ({ method, url }: HttpRequest): Answer => {
    if (url.startsWith("https://storage")) return elsewhere ?? gone;
    if (method === "POST" || url.endsWith("/v2/")) return { status: 200 };
    return answers[method] ?? assert.fail(`${method} was not expected`);
  };
  const http = scriptedHttp(script);
  const { catalog } = createRegistryClients({ http }).open("https://registry.test", "https://seen");
  const resolve = (tag = "1.0") => catalog.resolveTag("library/web", tag, signal);
  const asked = () => http.requests.filter(({ url }) => url.includes("/manifests/"));
  return { resolve, asked, methods: () => asked().map(({ method }) => method), answers };
}

describe("what a tag points at", () => {
  test("is told by HEAD, which asks for all types", async () => {
    const { resolve, asked, methods } = open({ HEAD: head });
    assert.deepEqual(await resolve(), is);
    assert.deepEqual(methods(), ["HEAD"]);
    assert.equal(asked()[0]?.headers?.accept?.split(",").length, 4);
    assert.equal(asked()[0]?.headers?.["if-none-match"], undefined);
  });

  test("is not told again as long as it is the same", async () => {
    const { resolve, asked, answers } = open({ HEAD: head });
    await resolve();
    answers.HEAD = { status: 304, headers: {} };
    assert.deepEqual(await resolve(), is);
    assert.equal(asked()[1]?.headers?.["if-none-match"], `"${digest}"`);
    answers.HEAD = { ...head, headers: { ...told, "docker-content-digest": other, etag: "W/other" } };
    assert.deepEqual(await resolve(), { ...is, digest: other });
    answers.HEAD = { status: 404, headers: api };
    assert.equal(await resolve(), undefined);
    answers.HEAD = head;
    assert.deepEqual(await resolve(), is);
    assert.deepEqual(
      asked().map(({ headers }) => headers?.["if-none-match"]),
      [undefined, `"${digest}"`, `"${digest}"`, "W/other", undefined],
    );
  });

  for (const [what, answer] of [
    ["takes no HEAD", { status: 405 }],
    ["forbids HEAD", { status: 403 }],
    ["tells no digest", { status: 200, headers: { "content-type": mediaType } }],
    ["tells a digest that is none", { status: 200, headers: { ...told, "docker-content-digest": "latest" } }],
    ["tells no type", { status: 200, headers: { "docker-content-digest": digest } }],
    ["tells a type of anything", { status: 200, headers: { ...told, "content-type": "application/json" } }],
    ["does not say who it is", { status: 404 }],
    ["has its manifests elsewhere, where HEAD is believed nothing", to("https://storage.test/m")],
  ] as [string, Answer][]) {
    test(`is told by GET, its digest checked, where a registry ${what}`, async () => {
      const { resolve, methods } = open({ HEAD: answer, GET: whole }, head);
      assert.deepEqual(await resolve(), is);
      assert.deepEqual(methods(), ["HEAD", "GET"]);
    });
  }

  test("is not sent again by GET either", async () => {
    const { resolve, asked, answers } = open({ HEAD: { status: 405 }, GET: whole });
    await resolve();
    answers.GET = { status: 304, headers: {} };
    assert.deepEqual(await resolve(), is);
    assert.equal(asked()[3]?.headers?.["if-none-match"], `"${digest}"`);
  });

  test("is what the bytes are, twice asked for if they are not what the header tells", async () => {
    const lying: Answer = { ...whole, body: `${body} ` };
    const { resolve, methods } = open({ HEAD: { status: 405 }, GET: lying });
    await assert.rejects(resolve(), failsWith("DIGEST_MISMATCH"));
    assert.deepEqual(methods(), ["HEAD", "GET", "GET"]);
    const unnamed = open({ HEAD: { status: 405 }, GET: { status: 200, body } });
    assert.deepEqual(await unnamed.resolve(), is);
  });

  test("is nothing when the tag is gone, in one request where the registry says who it is", async () => {
    const known = open({ HEAD: { status: 404, headers: api } });
    assert.equal(await known.resolve(), undefined);
    assert.deepEqual(known.methods(), ["HEAD"]);
    const unknown = open({ HEAD: { status: 404 }, GET: gone });
    assert.equal(await unknown.resolve(), undefined);
  });

  for (const [status, reason] of [
    [500, "REGISTRY_FAULT"],
    [503, "REGISTRY_FAULT"],
  ] as const) {
    test(`is not asked for by GET when HEAD is answered ${status}`, async () => {
      const { resolve, methods } = open({ HEAD: { status } });
      await assert.rejects(resolve(), failsWith(reason));
      assert.deepEqual(methods(), ["HEAD"]);
    });
  }

  test("is remembered of so many tags and no ETag of any length", async () => {
    const { resolve, asked, answers } = open({ HEAD: { ...head, headers: { ...told, etag: "e".repeat(257) } } });
    await resolve();
    await resolve();
    assert.equal(asked()[1]?.headers?.["if-none-match"], undefined);
    answers.HEAD = head;
    for (let tag = 0; tag <= 10_000; tag += 1) await resolve(`t${tag}`);
    answers.HEAD = { status: 304, headers: {} };
    answers.GET = whole;
    await resolve("t0");
    await resolve("t10000");
    assert.deepEqual(
      asked()
        .slice(-3)
        .map(({ method, headers }) => [method, headers?.["if-none-match"]]),
      [
        ["HEAD", undefined],
        ["GET", undefined],
        ["HEAD", `"${digest}"`],
      ],
    );
  });
});
