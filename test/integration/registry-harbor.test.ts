import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { RegistryCatalog } from "@drydock/scanner-worker/jobs/registry-catalog.ts";
import type { Credential } from "@drydock/scanner-worker/registry/credential.ts";
import { createHttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { createFakeHarbor, type FakeHarborOptions } from "../support/fake-harbor.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { readList, readRepositories, readTags } from "../support/registry-lists.ts";
import { createScriptedRegistry, registryError, type ScriptedRegistry } from "../support/scripted-registry.ts";

const signal = AbortSignal.timeout(60_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const robot: Credential = { kind: "basic", username: "robot$scanner", password: "secret" };
const robotHeader = `Basic ${btoa("robot$scanner:secret")}`;
const imageType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const numbered = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

async function start(options: FakeHarborOptions): Promise<ScriptedRegistry> {
  return await started(createFakeHarbor(options));
}

async function started(registry: ScriptedRegistry): Promise<ScriptedRegistry> {
  await registry.start();
  stops.push(() => registry.stop());
  return registry;
}

function open(url: string, credential: Credential = robot, clock = new ManualClock()): RegistryCatalog {
  const http = createHttpClient({ party: "REGISTRY", userAgent: "test" });
  stops.push(() => http.stop());
  return createRegistryClients({ http, credential, clock }).open(url, url).catalog;
}

const asked = ({ requests }: ScriptedRegistry, part: string) => requests.filter(({ path }) => path.includes(part));

describe("the lists of a Harbor", () => {
  test("are those of its API: projects, repositories, and artifacts with digests and tags", async () => {
    const harbor = await start({
      authorization: robotHeader,
      projects: {
        empty: {},
        library: {
          web: [
            {
              digest: digest("a"),
              manifest_media_type: indexType,
              push_time: "2026-01-01T00:00:00.000Z",
              tags: [{ name: "1.0", push_time: "2026-02-01T00:00:00.000Z" }, { name: "latest" }],
            },
            { digest: digest("b"), manifest_media_type: imageType, push_time: "0001-01-01T00:00:00.000Z", tags: null },
          ],
        },
        team: { "deep/er/app": [{ digest: digest("c"), tags: [{ name: "x" }] }] },
      },
    });
    const catalog = open(harbor.url);
    assert.deepEqual(await readRepositories(catalog, signal), [[], ["library/web"], ["team/deep/er/app"]]);
    const { items, next } = await catalog.listTags("library/web", undefined, signal);
    const a = { digest: digest("a"), mediaType: indexType };
    assert.deepEqual(items, [
      { tag: "1.0", ...a, pushedAt: new Date("2026-02-01") },
      { tag: "latest", ...a, pushedAt: new Date("2026-01-01") },
      { tag: "", digest: digest("b"), mediaType: imageType, pushedAt: undefined },
    ]);
    assert.equal(next, undefined);
    const deep = await catalog.listTags("team/deep/er/app", undefined, signal);
    assert.deepEqual(deep.items, [{ tag: "x", digest: digest("c"), mediaType: undefined, pushedAt: undefined }]);
    assert.deepEqual((await catalog.listTags("team/gone", undefined, signal)).items, []);
    assert.deepEqual(
      harbor.requests.map(({ path }) => path.replace("/api/v2.0", "").replace("page=1&page_size=100", "…")),
      [
        "/systeminfo",
        "/projects?…",
        "/projects/empty/repositories?…",
        "/projects/library/repositories?…",
        "/projects/team/repositories?…",
        "/projects/library/repositories/web/artifacts?with_tag=true&…",
        "/projects/team/repositories/deep%252Fer%252Fapp/artifacts?with_tag=true&…",
        "/projects/team/repositories/gone/artifacts?with_tag=true&…",
      ],
    );
    assert.equal(asked(harbor, "systeminfo")[0]?.headers.authorization, undefined);
  });

  for (const paging of ["link", "total", "neither"] as const) {
    test(`have pages, told by ${paging === "neither" ? "nothing but their length" : `the ${paging}`}`, async () => {
      const tags = (names: string[]) => names.map((name) => ({ digest: digest("a"), tags: [{ name }] }));
      const repositories = Object.fromEntries(numbered(230, "r").map((name) => [name, []]));
      const projects = Object.fromEntries(numbered(201, "p").map((name) => [name, name === "p7" ? repositories : {}]));
      const harbor = await start({ paging, projects: { ...projects, last: { web: tags(numbered(200, "t")) } } });
      const catalog = open(harbor.url);
      const pages = await readRepositories(catalog, signal);
      assert.deepEqual(pages.flat(), [...numbered(230, "r").map((name) => `p7/${name}`), "last/web"]);
      assert.equal(asked(harbor, "/projects?").length, 3);
      assert.deepEqual((await readTags(catalog, "last/web", signal)).flat(), numbered(200, "t"));
    });
  }

  test("go on where they were when projects come and go, in another worker", async () => {
    const projects: FakeHarborOptions["projects"] = {
      a: { x: [] },
      b: { x: [] },
      c: { x: [] },
      d: { x: [] },
      e: { x: [] },
    };
    const harbor = await start({ projects });
    const found = await readList((from) => {
      const page = open(harbor.url).listRepositories(from, signal);
      return page.then((read) => {
        if (read.items.includes("c/x")) {
          delete projects.b;
          delete projects.d;
        }
        return read;
      });
    });
    assert.deepEqual(new Set(found.flat()), new Set(["a/x", "b/x", "c/x", "e/x"]));
  });

  test("leave out what breaks the grammar, and projects that may not be read", async () => {
    const harbor = await start({
      projects: { "../x": {}, secret: { web: [] }, open: { web: [], "Bad Name": [] } },
      instead: (path) =>
        path.includes("/projects/secret/") ? { status: 403, body: registryError("FORBIDDEN") } : undefined,
    });
    const catalog = open(harbor.url);
    const first = await catalog.listRepositories(undefined, signal);
    assert.deepEqual([first.items, first.leftOut?.count], [[], 2]);
    assert.match(first.leftOut?.examples.join("\n") ?? "", /"secret" is a project whose repositories .* \(403\)/);
    const second = await catalog.listRepositories(first.next, signal);
    assert.deepEqual([second.items, second.leftOut?.count, second.next], [["open/web"], 1, undefined]);
  });

  test("leave out artifacts without a digest and tags that are none", async () => {
    const bad = [{ digest: "latest" }, { digest: digest("A") }] as never[];
    const tags = [{ name: "-x" }, { name: "good" }, {}] as never[];
    const harbor = await start({ projects: { p: { r: [...bad, { digest: digest("a"), tags }] } } });
    const { items, leftOut } = await open(harbor.url).listTags("p/r", undefined, signal);
    assert.deepEqual(
      items.map(({ tag }) => tag),
      ["good"],
    );
    assert.equal(leftOut?.count, 4);
  });

  test("of a Harbor without end end after 100,000 pages, and those that stay empty at once", async () => {
    const entries = JSON.stringify([{ digest: digest("a"), tags: [{ name: "x" }] }]);
    let body = entries;
    const harbor = await start({
      projects: {},
      instead: (path) =>
        path.includes("artifacts") ? { status: 200, headers: { "x-total-count": "999999999" }, body } : undefined,
    });
    const catalog = open(harbor.url);
    const { next = "" } = await catalog.listTags("p/r", undefined, signal);
    const late = JSON.stringify({ ...JSON.parse(next), page: 100_000 });
    await assert.rejects(catalog.listTags("p/r", late, signal), { reason: "LIST_INVALID" });
    body = "null";
    assert.equal((await catalog.listTags("p/r", undefined, signal)).next, undefined);
    body = "{}";
    await assert.rejects(catalog.listTags("p/r", undefined, signal), { reason: "LIST_INVALID" });
  });
});

describe("the registry's own lists", () => {
  const own = (path: string) => {
    if (path.startsWith("/v2/_catalog")) return { status: 200, body: '{"repositories":["library/web"]}' };
    return path.includes("/tags/list") ? { status: 200, body: '{"tags":["1.0"]}' } : undefined;
  };

  for (const [what, answer] of [
    ["refuses who asks", { status: 401, body: registryError("UNAUTHORIZED") }],
    ["forbids it", { status: 403, body: registryError("FORBIDDEN") }],
    ["has no such API", { status: 404, body: "404 page not found" }],
    ["takes no GET", { status: 405 }],
  ] as const) {
    test(`are read when Harbor's API ${what}`, async () => {
      const isApi = (path: string) => path.startsWith("/api/v2.0/projects");
      const harbor = await start({ projects: {}, instead: (path) => (isApi(path) ? answer : own(path)) });
      assert.deepEqual(await readRepositories(open(harbor.url), signal), [["library/web"]]);
      if (answer.status !== 404) assert.deepEqual(await readTags(open(harbor.url), "library/web", signal), [["1.0"]]);
    });
  }

  test("are read when a page of artifacts is too large", async () => {
    const large = { status: 200, body: `[${" ".repeat(4 * 1024 * 1024)}]` };
    const harbor = await start({ projects: {}, instead: (path) => (path.includes("artifacts") ? large : own(path)) });
    assert.deepEqual(await readTags(open(harbor.url), "library/web", signal), [["1.0"]]);
  });

  test("are read of a repository that is in no project", async () => {
    const harbor = await start({ projects: {}, instead: own });
    assert.deepEqual(await readTags(open(harbor.url), "web", signal), [["1.0"]]);
    assert.equal(asked(harbor, "/projects").length, 0);
  });

  for (const [what, answer] of [
    ["a web page", { status: 200, body: "<html>", headers: { "content-type": "text/html" } }],
    ["other JSON", { status: 200, body: '{"auth_mode":1}' }],
    ["nothing there", { status: 404 }],
    ["a login elsewhere", { status: 302, headers: { location: "http://login.test/" } }],
    ["a flood", { status: 200, body: " ".repeat(100_000) }],
  ] as const) {
    test(`are read where ${what} is in the place of Harbor's API, which is asked for once, by nobody`, async () => {
      const registry = await start({
        projects: {},
        instead: (path) => (path.startsWith("/api/") ? answer : own(path)),
      });
      const catalog = open(registry.url);
      await Promise.all([1, 2, 3].map(() => readTags(catalog, "library/web", signal)));
      assert.deepEqual(await readRepositories(catalog, signal), [["library/web"]]);
      assert.equal(asked(registry, "/api/").length, 1);
      assert.equal(asked(registry, "/api/")[0]?.headers.authorization, undefined);
    });
  }

  test("are read while Harbor's API fails, and it is asked again after five minutes", async () => {
    let isAway = true;
    const harbor = await start({
      projects: { p: { r: [] } },
      instead: (path) => (isAway && path.startsWith("/api/") ? { status: 502 } : own(path)),
    });
    const clock = new ManualClock();
    const catalog = open(harbor.url, robot, clock);
    assert.deepEqual(await readRepositories(catalog, signal), [["library/web"]]);
    isAway = false;
    clock.advance(299_000);
    assert.deepEqual(await readRepositories(catalog, signal), [["library/web"]]);
    clock.advance(2_000);
    assert.deepEqual(await readRepositories(catalog, signal), [["p/r"]]);
    assert.equal(asked(harbor, "systeminfo").length, 2);
  });
});

test("a Harbor that fails in the middle of a list fails the list for now, and a page in its place as well", async () => {
  for (const answer of [{ status: 502 }, { status: 404, body: "<html>" }]) {
    const harbor = await start({
      projects: { p: { r: [] } },
      instead: (path) => (path.includes("/repositories") ? answer : undefined),
    });
    await assert.rejects(readRepositories(open(harbor.url), signal), (thrown: unknown) => {
      assert.ok(thrown instanceof JobFailure);
      assert.deepEqual([thrown.reason, thrown.fault], ["REGISTRY_FAULT", "outside"]);
      return true;
    });
  }
});

test("a Harbor's own service shows its secret to the API and to the token server, never to the registry", async () => {
  const harbor: ScriptedRegistry = await started(
    createScriptedRegistry(({ path, headers: { authorization } }) => {
      if (path === "/api/v2.0/systeminfo")
        return { status: 200, body: '{"auth_mode":"db_auth","self_registration":false}' };
      if (path.startsWith("/api/")) return { status: 200, body: '[{"name":"library"}]' };
      if (path.startsWith("/service/token")) return { status: 200, body: '{"token":"t"}' };
      if (authorization === "Bearer t") return { status: 404, body: registryError("MANIFEST_UNKNOWN") };
      const header = `Basic realm="x", Bearer realm="${harbor.url}/service/token",service="harbor-registry"`;
      return { status: 401, headers: { "www-authenticate": header } };
    }),
  );
  const catalog = open(harbor.url, { kind: "harbor-secret", secret: "s3cr3t" });
  await catalog.listRepositories(undefined, signal);
  assert.equal(await catalog.resolveTag("library/web", "1.0", signal), undefined);
  const shown = harbor.requests.map(({ path, headers }) => `${path.split("?")[0]} ${headers.authorization ?? "-"}`);
  assert.deepEqual(
    shown.filter((line) => line.includes("s3cr3t")),
    ["/api/v2.0/projects", "/api/v2.0/projects/library/repositories", "/service/token"].map(
      (path) => `${path} Harbor-Secret s3cr3t`,
    ),
  );
  assert.ok(shown.includes("/v2/library/web/manifests/1.0 Bearer t"));
});
