import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { RegistryCatalog } from "@drydock/scanner-worker/jobs/registry-catalog.ts";
import { createHttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { readRepositories, readTags } from "../support/registry-lists.ts";
import {
  createScriptedRegistry,
  registryError,
  type ScriptedAnswer,
  type ScriptedRegistry,
  type SeenRequest,
} from "../support/scripted-registry.ts";

const signal = AbortSignal.timeout(60_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function open(url: string): RegistryCatalog {
  const http = createHttpClient({ party: "REGISTRY", userAgent: "test" });
  stops.push(() => http.stop());
  return createRegistryClients({ http }).open(url, url).catalog;
}

/** A registry that is no Harbor and lets everybody in. */
async function start(script: (request: SeenRequest) => ScriptedAnswer): Promise<ScriptedRegistry> {
  const registry = createScriptedRegistry((request) => {
    if (request.path === "/v2/") return { status: 200, body: "{}" };
    return request.path.startsWith("/api/") ? { status: 404 } : script(request);
  });
  await registry.start();
  stops.push(() => registry.stop());
  return registry;
}

const listsOf = ({ requests }: ScriptedRegistry) =>
  requests.map(({ path }) => path).filter((path) => path !== "/v2/" && !path.startsWith("/api/"));
const repositories = (names: unknown, link?: string): ScriptedAnswer => ({
  status: 200,
  headers: link === undefined ? {} : { link },
  body: JSON.stringify({ repositories: names }),
});
const tags = (names: unknown): ScriptedAnswer => ({ status: 200, body: JSON.stringify({ name: "web", tags: names }) });

function failsWith(reason: string, words: RegExp) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.deepEqual([thrown.reason, thrown.retryable], [reason, reason === "REGISTRY_FAULT"], thrown.message);
    assert.match(thrown.message, words);
    return true;
  };
}

describe("the next page of a list", () => {
  for (const [what, linkOf] of [
    ["relative to the origin", (query: string) => `</v2/_catalog${query}>; rel="next"`],
    ["only a query", (query: string) => `<${query}>; rel=next`],
    ["absolute", (query: string, url: string) => `<${url}/v2/_catalog${query}>; rel="next"`],
    ["percent-encoded", (query: string) => `</v2/%5Fcatalog${query}>; rel="next"`],
    ["one of several", (query: string) => `</v2/>; rel="prev", </v2/_catalog/${query}>; rel="last next"`],
    ["below the path of a proxy", (query: string) => `</outer/v2/_catalog${query}>; rel="next"`],
  ] as const) {
    test(`may be ${what}`, async () => {
      const registry: ScriptedRegistry = await start(({ path }) => {
        if (path.includes("last=c")) return repositories(["d"]);
        const last = path.includes("last=") ? "c" : "a%2Fb";
        return repositories([decodeURIComponent(last)], linkOf(`?n=1&last=${last}`, registry.url));
      });
      assert.deepEqual(await readRepositories(open(registry.url), signal), [["a/b"], ["c"], ["d"]]);
      assert.deepEqual(listsOf(registry), [
        "/v2/_catalog?n=1000",
        "/v2/_catalog?n=1&last=a%2Fb",
        "/v2/_catalog?n=1&last=c",
      ]);
    });
  }

  test("is never at another origin, nor of another list", async () => {
    const stranger = await start(() => repositories(["evil"]));
    for (const [link, words] of [
      [`<${stranger.url}/v2/_catalog?last=a>; rel="next"`, /refused/],
      ['</v2/library/web/tags/list?last=a>; rel="next"', /another list/],
      [`</v2/_catalog?last=${"a".repeat(2_100)}>; rel="next"`, /more than 2000 characters/],
      ['/v2/_catalog?last=a; rel="next"', /can't be read/],
    ] as const) {
      const registry = await start(() => repositories(["a"], link));
      await assert.rejects(readRepositories(open(registry.url), signal), failsWith("LIST_INVALID", words));
      assert.equal(listsOf(registry).length, 1);
    }
    assert.equal(stranger.requests.length, 0);
  });

  test("is not followed in a circle, whoever reads on", async () => {
    const self = await start(() => repositories(["a"], '</v2/_catalog?last=a>; rel="next"'));
    await assert.rejects(readRepositories(open(self.url), signal), failsWith("LIST_INVALID", /leads in a circle/));
    assert.equal(listsOf(self).length, 2);
    let page = 0;
    const seven = await start(() => repositories(["a"], `</v2/_catalog?last=${page++ % 7}>; rel="next"`));
    const readOn = async () => {
      let next: string | undefined;
      // A worker each for the pages, as if each had been killed.
      do next = (await open(seven.url).listRepositories(next, signal)).next;
      while (next !== undefined);
    };
    await assert.rejects(readOn(), failsWith("LIST_INVALID", /leads in a circle/));
    assert.ok(page <= 21, `${page}`);
  });

  test("is the last one after 100,000", async () => {
    let page = 0;
    const endless = await start(() => {
      page += 1;
      return repositories([`r${page}`], `</v2/_catalog?last=r${page}>; rel="next"`);
    });
    const catalog = open(endless.url);
    const { next = "" } = await catalog.listRepositories(undefined, signal);
    const late = JSON.stringify({ ...JSON.parse(next), page: 99_990 });
    const readOn = async (from: string | undefined): Promise<void> => {
      if (from !== undefined) await readOn((await catalog.listRepositories(from, signal)).next);
    };
    await assert.rejects(readOn(late), failsWith("LIST_INVALID", /more than 100000 pages, or no end/));
    assert.equal(page, 12);
  });
});

describe("a list", () => {
  test("has only names that are some; what else there is, is counted", async () => {
    const bad = [
      "../etc",
      "UPPER",
      "",
      "a b",
      7,
      null,
      ["a"],
      "a".repeat(256),
      "evil\u001b[31m",
      "a//b",
      "http://x",
      "\u202e",
    ];
    const registry = await start(({ path }) =>
      path.includes("_catalog") ? repositories(["library/web", ...bad, "library/web"]) : tags(["1.0", ...bad, "-x"]),
    );
    const catalog = open(registry.url);
    const { items, leftOut } = await catalog.listRepositories(undefined, signal);
    assert.deepEqual([items, leftOut?.count, leftOut?.examples.length], [["library/web"], bad.length, 10]);
    assert.equal(leftOut?.examples[0], '"../etc" is no name of a repository');
    assert.doesNotMatch(JSON.stringify(leftOut), /\\u001b|\u202e/);
    const listed = await catalog.listTags("library/web", undefined, signal);
    const isTag = (name: unknown) => name === "UPPER";
    assert.deepEqual(
      listed.items.map(({ tag }) => tag),
      ["1.0", ...bad.filter(isTag)],
    );
    assert.equal(listed.leftOut?.count, bad.length);
  });

  test("of tags is empty when they are null, or the repository is unknown", async () => {
    for (const answer of [tags(null), tags([]), { status: 404, body: registryError("NAME_UNKNOWN") }] as const) {
      const registry = await start(() => answer);
      assert.deepEqual(await readTags(open(registry.url), "library/web", signal), [[]]);
      assert.equal(listsOf(registry).length, 1);
    }
  });

  for (const body of ["{}", "[]", '{"errors":[]}', '{"repositories":"web","tags":{}}', "null"]) {
    test(`is never ${body}`, async () => {
      const catalog = open((await start(() => ({ status: 200, body }))).url);
      const words = /has no (repositories|tags) in it$/;
      await assert.rejects(catalog.listRepositories(undefined, signal), failsWith("LIST_INVALID", words));
      await assert.rejects(catalog.listTags("web", undefined, signal), failsWith("LIST_INVALID", words));
    });
  }

  test("of tags that a page of a proxy says is not there is no empty one", async () => {
    const registry = await start(() => ({ status: 404, headers: { "content-type": "text/plain" }, body: "not found" }));
    const inForm = createScriptedRegistry((request) =>
      request.path === "/v2/"
        ? { status: 200, headers: { "docker-distribution-api-version": "registry/2.0" }, body: "{}" }
        : { status: 404, body: "no healthy upstream" },
    );
    await inForm.start();
    stops.push(() => inForm.stop());
    await assert.rejects(
      readTags(open(inForm.url), "library/web", signal),
      failsWith("REGISTRY_FAULT", /in place of the registry's answer/),
    );
    assert.deepEqual(await readTags(open(registry.url), "library/web", signal), [[]]);
  });

  for (const answer of [
    { status: 401, body: registryError("UNAUTHORIZED"), headers: { "www-authenticate": 'Basic realm="x"' } },
    { status: 403, body: registryError("DENIED") },
    { status: 404, body: "404 page not found", headers: { "content-type": "text/plain" } },
    { status: 404, body: "<html>nothing here" },
    { status: 405, body: registryError("UNSUPPORTED") },
    { status: 400, body: registryError("UNSUPPORTED") },
  ]) {
    test(`of repositories that is refused by ${answer.status} ${answer.body} has a remedy`, async () => {
      const registry = await start(() => answer);
      await assert.rejects(open(registry.url).listRepositories(undefined, signal), (thrown: unknown) => {
        assert.ok(thrown instanceof JobFailure);
        assert.equal(thrown.reason, "CATALOG_REFUSED", thrown.message);
        assert.match(thrown.message, /name repositories in the parameters$/);
        return true;
      });
    });
  }

  test("that fails for now is asked for again later, by its Retry-After", async () => {
    const registry = await start(() => ({ status: 429, headers: { "retry-after": "30" } }));
    const catalog = open(registry.url);
    for (let times = 0; times < 3; times += 1) {
      await assert.rejects(catalog.listRepositories(undefined, signal), (thrown: unknown) => {
        assert.ok(thrown instanceof JobFailure);
        assert.equal(thrown.reason, "REGISTRY_RATE_LIMITED");
        return (thrown.retryAfterMs ?? 0) > 25_000;
      });
    }
    await assert.rejects(catalog.listTags("library/web", undefined, signal), { reason: "REGISTRY_RATE_LIMITED" });
    assert.equal(listsOf(registry).length, 1);
  });
});
