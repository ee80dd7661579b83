import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import type { HttpClient } from "./http-client.ts";
import type { HttpRequest } from "./http-exchange.ts";
import { createRegistryClients, type RegistryClientsOptions } from "./registry-clients.ts";
import { type Answer, challenge, failsWith, scriptedHttp } from "./test-kit.ts";

const signal = new AbortController().signal;
const digest = `sha256:${"a".repeat(64)}`;
const manifest: Answer = {
  status: 200,
  headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
  body: JSON.stringify({ manifests: [] }),
};
const basic = challenge('Basic realm="x"');

describe("the registry client", () => {
  let requests: HttpRequest[];
  beforeEach(() => {
    requests = [];
  });

  function ask(script: (request: HttpRequest) => Answer, options: Partial<RegistryClientsOptions> = {}) {
    const http = scriptedHttp(script);
    requests = http.requests;
    const credential = { kind: "basic", username: "scanner", password: "password" } as const;
    const client = createRegistryClients({ http, credential, ...options }).open(
      "http://registry.example",
      "http://seen",
    );
    return client.getManifest("library/web", "1.0", signal);
  }

  test("asks with Basic from the start when the ping says so", async () => {
    await ask(({ headers }) => (headers?.authorization === undefined ? basic : manifest));
    assert.equal(requests.length, 2);
  });

  test("does not ask with a refused Basic again and again", async () => {
    await assert.rejects(
      ask(() => basic),
      failsWith("REGISTRY_AUTH_REJECTED"),
    );
    assert.equal(requests.length, 2);
  });

  test("takes a registry that is open at first and asks for credentials later", async () => {
    const script = ({ url, headers }: HttpRequest) => {
      if (url.endsWith("/v2/")) return { status: 200 };
      return headers?.authorization === undefined ? basic : manifest;
    };
    assert.equal((await ask(script)).kind, "index");
  });

  test("gives no credentials to a token server of another domain", async () => {
    const realm = challenge('Bearer realm="http://collector.example/token",service="x"');
    await assert.rejects(
      ask(() => realm),
      failsWith("REGISTRY_REALM_REFUSED"),
    );
    assert.equal(requests.length, 1);
  });

  test("gives them to the token server that the operator named, whatever the registry says", async () => {
    const script = ({ url, headers }: HttpRequest) => {
      if (url.startsWith("http://core:8080/token?")) return { status: 200, body: '{"token":"t"}' };
      const realm = challenge('Bearer realm="http://collector.example/token",service="x"');
      return headers?.authorization === "Bearer t" ? manifest : realm;
    };
    assert.equal((await ask(script, { tokenUrl: "http://core:8080/token" })).kind, "index");
  });

  test("asks as anybody without credentials, wherever the token server is", async () => {
    const script = ({ url, headers }: HttpRequest) => {
      if (url.startsWith("http://tokens.example")) return { status: 200, body: '{"token":"t"}' };
      return headers?.authorization === "Bearer t" ? manifest : challenge('Bearer realm="http://tokens.example/"');
    };
    await ask(script, { credential: { kind: "none" } });
    assert.deepEqual(
      requests.map(({ headers }) => headers?.authorization),
      [undefined, undefined, "Bearer t"],
    );
  });

  test("fails for good when it is given tokens but not the right, after one more token", async () => {
    let tokens = 0;
    const script = ({ url }: HttpRequest) => {
      if (!url.includes("/token?"))
        return challenge('Bearer realm="https://t.registry.example/token",error="insufficient_scope"');
      tokens += 1;
      return { status: 200, body: JSON.stringify({ token: `t${tokens}` }) };
    };
    await assert.rejects(ask(script), failsWith("ACCESS_DENIED"));
    assert.equal(tokens, 2);
  });

  const answers: [name: string, answer: Answer, reason: string][] = [
    ["knows neither Bearer nor Basic", challenge('Digest realm="x"'), "REGISTRY_AUTH_UNSUPPORTED"],
    ["names no token server", challenge("Bearer"), "REGISTRY_AUTH_UNSUPPORTED"],
    ["refuses without a word", { status: 401 }, "REGISTRY_AUTH_REJECTED"],
    ["is a website", { status: 404, body: "<html>" }, "REGISTRY_UNSUPPORTED"],
    ["fails", { status: 502 }, "REGISTRY_FAULT"],
  ];
  for (const [name, answer, reason] of answers) {
    test(`fails with ${reason} when the registry ${name}`, async () => {
      await assert.rejects(
        ask(() => answer),
        failsWith(reason),
      );
    });
  }

  const open = (answer: Answer) => ask(({ url }) => (url.endsWith("/v2/") ? { status: 200 } : answer));

  test("does not follow redirects without end, nor to what is no web address", async () => {
    const to = (location: string) => open({ status: 307, headers: { location } });
    await assert.rejects(to("/again"), failsWith("REGISTRY_FAULT"));
    await assert.rejects(to("file:///etc/passwd"), failsWith("REGISTRY_FAULT"));
  });

  test("fails for good when it is denied, or when a policy forbids the pull", async () => {
    await assert.rejects(open({ status: 403, body: '{"errors":[{"code":"DENIED"}]}' }), failsWith("ACCESS_DENIED"));
    await assert.rejects(open({ status: 412 }), failsWith("PULL_BLOCKED"));
  });

  test("does not check the digest of schema 1, which is not over what is sent", async () => {
    const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    const headers = { "content-type": type, "docker-content-digest": digest };
    const found = await open({ status: 200, headers, body: '{"schemaVersion":1,"fsLayers":[]}' });
    assert.deepEqual([found.kind, found.digest], ["other", digest]);
    const image = JSON.stringify({ schemaVersion: 2, config: { digest }, layers: [] });
    await assert.rejects(open({ status: 200, headers, body: image }), failsWith("DIGEST_MISMATCH"));
  });
});

describe("a probe of a registry", () => {
  const bearer = challenge('Bearer realm="https://auth.registry.example/token",service="x"');
  const token: Answer = { status: 200, body: '{"token":"t"}' };
  type Script = (request: HttpRequest) => Answer;
  const withCredential = { kind: "basic", username: "scanner", password: "password" } as const;

  async function probe(script: Script, credential: RegistryClientsOptions["credential"] = withCredential) {
    const requests: HttpRequest[] = [];
    const send: HttpClient["send"] = async (request) => {
      requests.push(request);
      const { status, headers = {}, body = "" } = script(request);
      return { status, headers, body: new TextEncoder().encode(body) };
    };
    const clients = createRegistryClients({ http: { send, stop: async () => undefined }, credential });
    await clients.open("http://registry.example", "http://seen").probe(signal);
    return requests;
  }

  const withToken: Script = ({ url, headers }) => {
    if (url.startsWith("https://auth.registry.example")) return token;
    return headers?.authorization === "Bearer t" ? { status: 200 } : bearer;
  };
  for (const [what, script] of [
    ["lets everybody in", () => ({ status: 200 })],
    ["wants a token and gives one", withToken],
    ["wants the password", ({ headers }) => (headers?.authorization === undefined ? basic : { status: 200 })],
    ["knows the worker and shows it nothing here", ({ headers }) => (headers?.authorization ? { status: 403 } : basic)],
  ] as [string, Script][]) {
    test(`passes when it ${what}`, async () => {
      const requests = await probe(script);
      assert.ok(requests.length <= 4);
      for (const { timeoutMs } of requests) assert.ok(timeoutMs <= 20_000);
    });
  }

  const ofTokenServer = ({ url }: HttpRequest) => url.startsWith("https://auth.registry.example");
  const anybody = { kind: "none" } as const;
  for (const [what, answer] of [
    ["gives a token for nothing", token],
    ["gives none", { status: 200, body: "{}" }],
    ["wants to be asked for a repository", { status: 400 }],
    ["lets nobody in for nothing", { status: 401 }],
    ["forbids that", { status: 403 }],
  ] as [string, Answer][]) {
    test(`passes without a credential when the token server ${what}, as repositories differ in that`, async () => {
      const requests = await probe((request) => (ofTokenServer(request) ? answer : bearer), anybody);
      assert.deepEqual(
        requests.map((request) => [ofTokenServer(request), request.headers?.authorization]),
        [
          [false, undefined],
          [true, undefined],
        ],
      );
    });
  }

  for (const credential of [anybody, withCredential]) {
    test(`asks the token server each time, as it may be away by then, ${credential.kind === "none" ? "without" : "with"} a credential`, async () => {
      let isAway = false;
      const script: Script = (request) => (isAway && ofTokenServer(request) ? { status: 503 } : withToken(request));
      const http = scriptedHttp(script);
      const client = createRegistryClients({ http, credential }).open("http://registry.example", "http://seen");
      await client.probe(signal);
      isAway = true;
      await assert.rejects(client.probe(signal), failsWith("REGISTRY_FAULT"));
    });
  }

  for (const [what, demand, reason] of [
    ["names no token server and wants a password else", 'Bearer, Basic realm="x"', "REGISTRY_AUTH_REJECTED"],
    ["names no token server", "Bearer", "REGISTRY_AUTH_UNSUPPORTED"],
  ] as const) {
    test(`says ${reason} without a credential when it ${what}`, async () => {
      await assert.rejects(
        probe(() => challenge(demand), anybody),
        failsWith(reason),
      );
    });
  }

  for (const [what, answer, reason, fault] of [
    ["refuses the password", basic, "REGISTRY_AUTH_REJECTED", "worker"],
    ["knows neither Bearer nor Basic", challenge('Digest realm="x"'), "REGISTRY_AUTH_UNSUPPORTED", "worker"],
    ["refuses whoever asks", { status: 403 }, "REGISTRY_AUTH_REJECTED", "worker"],
    ["is too slow for itself", { status: 408 }, "REGISTRY_FAULT", "outside"],
    ["takes no GET", { status: 405 }, "REGISTRY_UNSUPPORTED", "worker"],
    ["finds the request wrong", { status: 400 }, "REGISTRY_UNSUPPORTED", "worker"],
    ["was not changed", { status: 304 }, "REGISTRY_UNSUPPORTED", "worker"],
    [
      "is elsewhere",
      { status: 302, headers: { location: "https://www.example" } },
      "REGISTRY_REDIRECT_REFUSED",
      "worker",
    ],
    ["is a website", { status: 404, body: "<html>" }, "REGISTRY_UNSUPPORTED", "worker"],
    ["is a website with a page for everything", { status: 200, body: "<html>" }, "REGISTRY_UNSUPPORTED", "worker"],
    ["is another server", { status: 200, body: "healthy" }, "REGISTRY_UNSUPPORTED", "worker"],
    ["fails", { status: 503 }, "REGISTRY_FAULT", "outside"],
    ["limits the rate", { status: 429, headers: { "retry-after": "7" } }, "REGISTRY_RATE_LIMITED", "outside"],
  ] as [string, Answer, string, string][]) {
    test(`says ${reason} when it ${what}`, async () => {
      await assert.rejects(
        probe(() => answer),
        (thrown) => {
          assert.ok(thrown instanceof JobFailure);
          assert.deepEqual([thrown.reason, thrown.fault], [reason, fault]);
          return true;
        },
      );
    });
  }

  test("says so when the token server refuses the password", async () => {
    const script: Script = ({ url }) => (url.startsWith("https://auth.registry.example") ? { status: 401 } : bearer);
    await assert.rejects(probe(script), failsWith("REGISTRY_AUTH_REJECTED"));
  });

  test("says so when no credential is set and one is wanted", async () => {
    await assert.rejects(
      probe(() => basic, { kind: "none" }),
      failsWith("REGISTRY_AUTH_REJECTED"),
    );
  });
});

test("a registry URL must be one, and its user and query go nowhere", () => {
  const http: HttpClient = { send: () => Promise.reject(new Error("never")), stop: async () => undefined };
  const clients = createRegistryClients({ http });
  assert.throws(() => clients.open("ftp://registry.example", "http://a"), failsWith("REGISTRY_URL_INVALID"));
  assert.throws(() => clients.open("http://a", "nonsense"), failsWith("REGISTRY_URL_INVALID"));
  const client = clients.open("https://user:password@registry.example//prefix/?x=1", "http://a/");
  assert.equal(client.url, "https://registry.example//prefix");
  assert.equal(client.blobUrl("web", "d"), "http://a/v2/web/blobs/d");
  assert.equal(clients.open("https://user:password@registry.example//prefix/?x=1", "http://a/"), client);
});

test("a proxy that answers 400 by https may want a certificate, which the failure says", async () => {
  const http = scriptedHttp(() => ({ status: 400, body: "<html>No required SSL certificate was sent" }));
  const clients = createRegistryClients({ http });
  const probe = (url: string) => clients.open(url, url).probe(new AbortController().signal);
  await assert.rejects(probe("https://a"), failsWith("REGISTRY_UNSUPPORTED", "DRYDOCK_REGISTRY_CLIENT_CERT"));
  await assert.rejects(probe("http://a"), failsWith("REGISTRY_UNSUPPORTED", "should be https://"));
});
