import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Fault } from "../domain/fault.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { Credential } from "./credential.ts";
import type { HttpRequest } from "./http-exchange.ts";
import { createRegistryClients } from "./registry-clients.ts";
import { type Answer, challenge, failsWith, scriptedHttp, to } from "./test-kit.ts";

const { signal } = new AbortController();
const registry = "https://registry.example.com";
const digest = `sha256:${"a".repeat(64)}`;
const html = { "content-type": "text/html; charset=utf-8" };
const page = (status: number): Answer => ({ status, headers: html, body: "\n<!DOCTYPE html><title>sorry</title>" });
const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });
const manifest: Answer = {
  status: 200,
  headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
  body: JSON.stringify({ manifests: [] }),
};
const basic: Credential = { kind: "basic", username: "scanner", password: "password" };
const isPing = ({ url }: HttpRequest) => url === `${registry}/v2/`;

/** A client of a registry that answers by the script, which may change. */
function open(script: (request: HttpRequest) => Answer, credential: Credential = { kind: "none" }) {
  const now = { script };
  const http = scriptedHttp((request) => now.script(request));
  const client = createRegistryClients({ http, credential }).open(registry, registry);
  const get = () => client.getManifest("library/web", "1.0", signal);
  return { client, get, now, requests: http.requests };
}

/** The same, of a registry that lets everybody in and answers so for all manifests and blobs. */
const openThere = (answer: Answer) => open((request) => (isPing(request) ? json(200, {}) : answer));

/** As a registry of the distribution project says what it is. */
function named(answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, "docker-distribution-api-version": "registry/2.0" } };
}

/** True half of the time. */
function chance(seed: number): () => boolean {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >= 2 ** 31;
  };
}

/** Whose fault it is once a probe has passed. */
function faultOf(error: Error): Fault {
  assert.ok(error instanceof JobFailure, String(error));
  const { fault, closesType, faultIfProbePasses } = error;
  return fault === "worker" && closesType ? (faultIfProbePasses ?? fault) : fault;
}

/** Gets a manifest so many times, each with a client of its own. Any failure is the outside's. */
async function countPassed(times: number, openOne: () => ReturnType<typeof open>): Promise<number> {
  let passed = 0;
  for (let time = 0; time < times; time += 1) {
    const end = await openOne()
      .get()
      .catch((error: Error) => error);
    if (end instanceof Error) assert.equal(faultOf(end), "outside", end.message);
    else passed += 1;
  }
  return passed;
}

function isAway(thrown: unknown): true {
  failsWith("REGISTRY_FAULT", "the registry is away: ")(thrown);
  assert.ok(thrown instanceof JobFailure);
  assert.deepEqual([thrown.fault, thrown.closesType], ["outside", true]);
  return true;
}

describe("what answers in place of a registry that is away", () => {
  const others: [name: string, answer: Answer][] = [
    ["the ingress' page for nothing", page(404)],
    ["a page of maintenance", page(200)],
    ["a page of maintenance without a type", { ...page(200), headers: {} }],
    ["a firewall's page", page(403)],
    ["a page for a wrong method", page(405)],
    ["a page that is gone", page(410)],
    ["a router's text", { status: 404, body: "404 page not found" }],
    ["a load balancer's word", { status: 200, body: "healthy" }],
    ["a gateway's JSON", json(404, { message: "no Route matched with those values" })],
    ["another API's errors", json(404, { errors: [{ status: 404, message: "not found" }] })],
    ["nothing but 404", { status: 404 }],
    ["nothing but 403", { status: 403 }],
  ];
  const token = json(200, { token: "t" });
  const registries: [name: string, credential: Credential, script: (request: HttpRequest) => Answer][] = [
    ["open to everybody", { kind: "none" }, (request) => (isPing(request) ? { status: 200 } : manifest)],
    ["with Basic", basic, ({ headers }) => (headers?.authorization ? manifest : challenge('Basic realm="x"'))],
    [
      "with tokens, asked by anybody",
      { kind: "none" },
      ({ url, headers }) => {
        if (url.includes("/token")) return token;
        return headers?.authorization ? manifest : challenge(`Bearer realm="${registry}/token"`);
      },
    ],
  ];
  for (const [whose, credential, script] of registries) {
    for (const [name, answer] of others) {
      test(`is no verdict: ${name}, for a registry ${whose}`, async () => {
        const { client, get, now } = open(script, credential);
        await get();
        now.script = () => answer;
        await assert.rejects(get(), isAway);
        await assert.rejects(client.getConfig("library/web", digest, signal), isAway);
        if (answer.status >= 400) await assert.rejects(client.hasBlob("library/web", digest, signal), isAway);
        now.script = script;
        assert.equal((await get()).kind, "index");
      });
    }
  }

  for (const [name, answer] of others) {
    test(`does not count once the registry is back: ${name}`, async () => {
      const answers = [answer];
      const { get, requests } = open((request) => (isPing(request) ? { status: 200 } : (answers.shift() ?? manifest)));
      assert.equal((await get()).kind, "index");
      assert.deepEqual(requests.map(isPing), [true, false, ...(requests.length > 2 ? [true, false] : [])]);
    });
  }

  /** Whether the registry gets a request, or what stands there instead. */
  const draws: ((count: number) => boolean)[] = [
    (count) => count % 2 === 0,
    (count) => count % 4 < 2,
    chance(1),
    chance(2),
  ];
  // A bare 403 of a token server is its own word.
  const replacing = registries.flatMap(([whose, ...rest]) =>
    others
      .filter(([, { status }]) => status >= 400 && !(whose.includes("tokens") && status === 403))
      .map(([name, answer]) => [`${name}, for a registry ${whose}`, answer, ...rest] as const),
  );
  for (const [what, answer, credential, script] of replacing) {
    test(`ends no scan from half of a balancer's backends, and some pass: ${what}`, async () => {
      let passed = 0;
      for (const isRegistry of draws) {
        let asked = 0;
        const balanced = (request: HttpRequest) => (isRegistry(asked++) ? named(script(request)) : answer);
        passed += await countPassed(40, () => open(balanced, credential));
      }
      assert.ok(passed > 0);
    });
  }

  test("is what it fails with, where that may pass", async () => {
    const { get, now } = openThere(manifest);
    await get();
    now.script = (request) => (isPing(request) ? { status: 503 } : page(404));
    await assert.rejects(get(), failsWith("REGISTRY_FAULT", "503"));
  });

  for (const status of [200, 400, 403, 404]) {
    test(`is no token server either: a page with ${status}`, async () => {
      const script = ({ url }: HttpRequest) =>
        url.includes("/token") ? page(status) : challenge(`Bearer realm="${registry}/token"`);
      await assert.rejects(open(script).get(), (thrown) => {
        assert.ok(thrown instanceof JobFailure);
        const { reason, fault, closesType, message } = thrown;
        assert.deepEqual([reason, fault, closesType], ["REGISTRY_AUTH_UNSUPPORTED", "outside", true]);
        assert.match(message, /a web page came from registry\.example\.com .* DRYDOCK_REGISTRY_TOKEN_URL/);
        return true;
      });
    });
  }

  test("is passed over where Basic is asked for beside it", async () => {
    const { get } = open(({ url, headers }) => {
      if (url.includes("/token")) return page(404);
      return headers?.authorization ? manifest : challenge(`Bearer realm="${registry}/token", Basic realm="x"`);
    }, basic);
    assert.equal((await get()).kind, "index");
  });

  test("may be a token server that refuses a password with a page", async () => {
    const script = ({ url }: HttpRequest) =>
      url.includes("/token") ? page(401) : challenge(`Bearer realm="${registry}/token"`);
    await assert.rejects(open(script, basic).get(), failsWith("REGISTRY_AUTH_REJECTED"));
  });
});

describe("a registry that is there", () => {
  for (const [name, answer, reason] of [
    ["a page of its own for what it does not have", page(404), "MANIFEST_UNKNOWN"],
    ["a text for that", { status: 404, body: "not found" }, "MANIFEST_UNKNOWN"],
    ["nothing but 404", { status: 404 }, "MANIFEST_UNKNOWN"],
    ["nothing but 403", { status: 403 }, "ACCESS_DENIED"],
    ["nothing but 405", { status: 405 }, "REGISTRY_REFUSED"],
    ["text for a manifest", { status: 200, body: "hello" }, "MANIFEST_INVALID"],
  ] as [string, Answer, string][]) {
    test(`may answer with ${name}: it is believed the second time`, async () => {
      const { get, requests } = openThere(answer);
      await assert.rejects(get(), failsWith(reason));
      assert.deepEqual(requests.map(isPing), [true, false, true, false]);
    });
  }

  for (const [name, answer, reason] of [
    ["its error", json(404, { errors: [{ code: "MANIFEST_UNKNOWN" }] }), "MANIFEST_UNKNOWN"],
    ["its header", { status: 404, headers: { "docker-distribution-api-version": "registry/2.0" } }, "MANIFEST_UNKNOWN"],
    ["JSON for a manifest", json(200, {}), "MANIFEST_INVALID"],
  ] as [string, Answer, string][]) {
    test(`is believed at once by ${name}`, async () => {
      const { get, requests } = openThere(answer);
      await assert.rejects(get(), failsWith(reason));
      assert.deepEqual(requests.map(isPing), [true, false]);
    });
  }

  for (const status of [200, 400, 403, 405]) {
    test(`does not answer ${status} with a page: that passes`, async () => {
      const { get } = openThere(page(status));
      await assert.rejects(get(), (thrown) => {
        failsWith(
          "REGISTRY_FAULT",
          `came from registry.example.com in place of the registry's answer (${status})`,
        )(thrown);
        return thrown instanceof JobFailure && thrown.fault === "outside" && !thrown.closesType;
      });
    });
  }

  test("does not speak by the page of the storage that it redirects to", async () => {
    const { get } = open((request) => {
      if (isPing(request)) return { status: 200 };
      return request.url.startsWith(registry) ? to("https://storage.test/web") : page(404);
    });
    await assert.rejects(get(), failsWith("REGISTRY_FAULT", "storage.test"));
  });

  test("tells whether it has a blob by its first byte or its error, asked once", async () => {
    for (const [answer, has] of [
      [{ status: 206, body: "l" }, true],
      [json(404, { errors: [{ code: "BLOB_UNKNOWN" }] }), false],
    ] as const) {
      const opened = openThere(answer);
      assert.equal(await opened.client.hasBlob("library/web", digest, signal), has);
      assert.deepEqual(opened.requests.map(isPing), [true, false]);
    }
  });
});
