import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sampleImage, sampleImages } from "@drydock/demo/images/sample-images.ts";
import { pushImage, pushImages } from "@drydock/demo/registry/push-image.ts";
import { type Account, createRegistry, type Registry } from "@drydock/demo/registry/registry.ts";
import type { TokenAnswer } from "@drydock/demo/registry/token-server.ts";
import { createEvaluationScanner } from "@drydock/demo/scanner/evaluation-scanner.ts";

const manifestPath = "/v2/library/web/manifests/1.0";
const pullScope = "repository:library/web:pull";

describe("the registry of the demo and the tests", () => {
  let nextAnswer: TokenAnswer | undefined;
  let registry: Registry;

  before(async () => {
    const onToken = async () => {
      const answer = nextAnswer;
      nextAnswer = undefined;
      return answer;
    };
    registry = createRegistry({ tokens: { onToken } });
    await registry.start();
    const target = { url: registry.url, ...registry.writer };
    await pushImages(target, sampleImages());
  });
  after(() => registry.stop());

  async function askForToken(account: Account | undefined, scope: string): Promise<Response> {
    const url = new URL(registry.tokens.url);
    url.searchParams.set("service", registry.tokens.service);
    url.searchParams.set("scope", scope);
    const basic = account && Buffer.from(`${account.username}:${account.password}`).toString("base64");
    return fetch(url, { headers: basic ? { authorization: `Basic ${basic}` } : {} });
  }

  async function tokenFor(account: Account, scope: string): Promise<string> {
    const { token } = (await (await askForToken(account, scope)).json()) as { token: string };
    return token;
  }

  async function get(path: string, token?: string): Promise<Response> {
    const accept = [...new Set(sampleImages().map(({ mediaType }) => mediaType))].join(", ");
    const response = await fetch(registry.url + path, {
      headers: { accept, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    });
    return new Response(await response.arrayBuffer(), { status: response.status, headers: response.headers });
  }

  test("says where to get a token", async () => {
    const response = await get(manifestPath);
    assert.equal(response.status, 401);
    const { tokens } = registry;
    const challenge = `Bearer realm="${tokens.url}",service="${tokens.service}",scope="${pullScope}"`;
    assert.equal(response.headers.get("www-authenticate"), challenge);
  });

  test("gives every image as it was pushed, under the same digest", async () => {
    const images = sampleImages().flatMap((image) => [image, ...image.listed]);
    for (const { repository, tag, digest, manifest, mediaType } of images) {
      const token = await tokenFor(registry.reader, `repository:${repository}:pull`);
      const response = await get(`/v2/${repository}/manifests/${tag}`, token);
      assert.equal(response.headers.get("docker-content-digest"), digest);
      assert.equal(response.headers.get("content-type"), mediaType);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), manifest);
    }
  });

  test("lists its repositories to who may see them", async () => {
    const token = await tokenFor(registry.reader, "registry:catalog:*");
    const { repositories } = (await (await get("/v2/_catalog", token)).json()) as { repositories: string[] };
    assert.ok(repositories.includes("library/web"));
  });

  test("lets a reader read and not write", async () => {
    const reader = { url: registry.url, ...registry.reader };
    const image = { ...sampleImage("library/web:1.0"), tag: "mine" };
    await assert.rejects(pushImage(reader, image), /the registry answered 401/);
  });

  test("pushing again sends nothing that is there already", async () => {
    await pushImage({ url: registry.url, ...registry.writer }, sampleImage("library/web:1.0"));
  });

  test("is pushed many tags that share blobs, which it would answer 500 to if they came at once", async () => {
    const tags = Array.from({ length: 36 }, (_, index) => [`many/web-${index % 3}`, `${index}`] as const);
    const images = tags.map(([repository, tag]) => ({ ...sampleImage("library/web:1.0"), repository, tag }));
    await pushImages({ url: registry.url, ...registry.writer }, images);
  });

  test("takes a token of one repository for no other", async () => {
    const token = await tokenFor(registry.reader, "repository:library/debian:pull");
    const response = await get(manifestPath, token);
    assert.equal(response.status, 401);
    assert.match(response.headers.get("www-authenticate") ?? "", /error="insufficient_scope"/);
  });

  test("the token server refuses a wrong password and nobody at all, and notes who asked for what", async () => {
    registry.tokens.requests.length = 0;
    const wrong = { username: registry.reader.username, password: "wrong" };
    assert.equal((await askForToken(wrong, pullScope)).status, 401);
    assert.equal((await askForToken(undefined, pullScope)).status, 401);
    assert.deepEqual(
      registry.tokens.requests.map(({ account, scopes }) => [account, scopes]),
      [
        ["scanner", [pullScope]],
        ["", [pullScope]],
      ],
    );
  });

  test("the token server answers what a test wants", async () => {
    nextAnswer = { status: 503 };
    assert.equal((await askForToken(registry.reader, pullScope)).status, 503);
    nextAnswer = { expiresInSeconds: 7 };
    const { expires_in } = (await (await askForToken(registry.reader, pullScope)).json()) as { expires_in: number };
    assert.equal(expires_in, 7);
  });

  test("refuses a token whose time is over, whatever was said about it", async () => {
    nextAnswer = { lifetimeSeconds: 0, expiresInSeconds: 300 };
    const response = await get(manifestPath, await tokenFor(registry.reader, pullScope));
    assert.equal(response.status, 401);
    assert.match(response.headers.get("www-authenticate") ?? "", /error="invalid_token"/);
  });

  test("takes a token until its time is over", async () => {
    nextAnswer = { lifetimeSeconds: 2 };
    const token = await tokenFor(registry.reader, pullScope);
    assert.equal((await get(manifestPath, token)).status, 200);
    const deadline = Date.now() + 5_000;
    let status = 200;
    while (status === 200 && Date.now() < deadline) status = (await get(manifestPath, token)).status;
    assert.equal(status, 401);
  });

  test("gives its blobs to the scanner for a good token alone", async () => {
    const scanner = createEvaluationScanner();
    await scanner.start();
    try {
      const post = async (token: string) => {
        const Path = `${registry.url}/v2/library/web/blobs/${sampleImage("library/web:1.0").blobs[1]?.digest}`;
        const Layer = { Name: "a", Path, Format: "Docker", Headers: { Authorization: `Bearer ${token}` } };
        return (await fetch(`${scanner.url}/v1/layers`, { method: "POST", body: JSON.stringify({ Layer }) })).status;
      };
      nextAnswer = { lifetimeSeconds: 0 };
      assert.equal(await post(await tokenFor(registry.reader, pullScope)), 400);
      assert.equal(await post(await tokenFor(registry.reader, pullScope)), 201);
    } finally {
      await scanner.stop();
    }
  });
});
