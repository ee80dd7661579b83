import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { Credential } from "@drydock/scanner-worker/registry/credential.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  createScriptedRegistry,
  registryError,
  type ScriptedAnswer,
  type ScriptedRegistry,
  type SeenRequest,
} from "../support/scripted-registry.ts";

const signal = new AbortController().signal;

function failsWith(reason: string, retryable: boolean) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.deepEqual([thrown.reason, thrown.retryable], [reason, retryable], thrown.message);
    assert.doesNotMatch(thrown.message, /password|Basic |Bearer |\?/);
    return true;
  };
}

/** What a job hears while the breaker is open: the cause, for which the worker takes no more of its kind. */
function isLeftAlone(reason: string) {
  return (thrown: unknown) => {
    failsWith(reason, true)(thrown);
    assert.ok(thrown instanceof JobFailure);
    assert.deepEqual([thrown.fault, thrown.closesType], ["outside", true]);
    assert.match(thrown.message, /left alone for now/);
    return true;
  };
}

describe("the registry client with a registry that", () => {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: `sha256:${"c".repeat(64)}`, size: 1 };
  const layer = { ...config, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
  const body = JSON.stringify({ schemaVersion: 2, config, layers: [layer] });
  const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
  const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
  const manifest: ScriptedAnswer = { status: 200, headers: { ...headers, "docker-content-digest": digest }, body };
  const credential: Credential = { kind: "basic", username: "scanner", password: "password" };
  const started: ScriptedRegistry[] = [];
  let http: HttpClient;
  let clock: ManualClock;

  beforeEach(() => {
    clock = new ManualClock();
    http = createHttpClient({ party: "REGISTRY", userAgent: "drydock-scanner-worker/test" });
  });
  afterEach(async () => {
    await http.stop();
    await Promise.all(started.splice(0).map((registry) => registry.stop()));
  });

  /** Answers the ping with 200 and everything else by the script. */
  async function start(script: (request: SeenRequest) => ScriptedAnswer): Promise<ScriptedRegistry> {
    const registry = createScriptedRegistry((request) => (request.path === "/v2/" ? { status: 200 } : script(request)));
    return await startFully(registry);
  }

  async function startFully(registry: ScriptedRegistry): Promise<ScriptedRegistry> {
    started.push(registry);
    await registry.start();
    return registry;
  }

  function open(url: string) {
    return createRegistryClients({ http, clock, credential }).open(url, url);
  }

  const get = (registry: ScriptedRegistry) => open(registry.url).getManifest("library/web", "1.0", signal);

  test("lets everybody in is sent no credentials, but all types and the name of the client", async () => {
    const registry = await start(() => manifest);
    assert.equal((await get(registry)).digest, digest);
    const [ping, request] = registry.requests;
    assert.equal(ping?.headers.authorization, undefined);
    assert.equal(request?.headers.authorization, undefined);
    assert.equal(request?.headers["user-agent"], "drydock-scanner-worker/test");
    assert.equal(`${request?.headers.accept}`.split(",").length, 4);
    assert.deepEqual(await open(registry.url).blobHeaders("library/web", signal), {});
  });

  for (const [name, challenges] of [
    ["in one header", (bearer: string) => `Basic realm="a, b", ${bearer}`],
    ["in two headers", (bearer: string) => ['Basic realm="a, b"', bearer]],
  ] as const) {
    test(`joins its challenges ${name} is asked with a token`, async () => {
      const registry: ScriptedRegistry = await startFully(
        createScriptedRegistry(({ path, headers: { authorization } }) => {
          if (path.startsWith("/token?")) return { status: 200, body: JSON.stringify({ access_token: "t" }) };
          if (authorization === "Bearer t") return manifest;
          const bearer = `Bearer realm="${registry.url}/token?x=1",service="a,b"`;
          return { status: 401, headers: { "www-authenticate": challenges(bearer) } };
        }),
      );
      assert.equal((await get(registry)).digest, digest);
      const query = new URLSearchParams(registry.requests.find(({ path }) => path.startsWith("/token"))?.path.slice(7));
      assert.deepEqual(
        [...query],
        [
          ["x", "1"],
          ["service", "a,b"],
          ["scope", "repository:library/web:pull"],
        ],
      );
    });
  }

  test("redirects to another origin is followed there without credentials", async () => {
    const storage = await start(() => manifest);
    const registry = await startFully(
      createScriptedRegistry(({ headers: { authorization } }) => {
        if (authorization === undefined) return { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
        return { status: 307, headers: { location: `${storage.url}/signed?secret=1` } };
      }),
    );
    assert.equal((await get(registry)).digest, digest);
    assert.deepEqual(
      storage.requests.map(({ path, headers: { authorization } }) => [path, authorization]),
      [["/signed?secret=1", undefined]],
    );
    assert.equal(await open(registry.url).hasBlob("library/web", digest, signal), true);
    assert.deepEqual(
      storage.requests.slice(1).map(({ method, headers: { range } }) => [method, range]),
      [["GET", "bytes=0-0"]],
    );
  });

  test("has a blob that it gives, in part or as a whole, and lacks one only by its own BLOB_UNKNOWN", async () => {
    const has = (url: string) => open(url).hasBlob("library/web", digest, signal);
    for (const blob of [
      { status: 206, body: "l" },
      { status: 200, body: Buffer.alloc(1_000_000) },
    ])
      assert.equal(await has((await start(() => blob)).url), true);
    const unknown = { status: 404, body: registryError("BLOB_UNKNOWN") };
    assert.equal(await has((await start(() => unknown)).url), false);
    const storage = await start(() => unknown);
    for (const answer of [
      { status: 307, headers: { location: storage.url } },
      { status: 404, body: registryError("DENIED") },
      { status: 403, body: registryError("BLOB_UNKNOWN") },
    ])
      await assert.rejects(has((await start(() => answer)).url), JobFailure);
  });

  test("sends another manifest than it says is asked once more", async () => {
    const wrong: ScriptedAnswer = { ...manifest, body: `${body} ` };
    const answers = [wrong, manifest];
    const once = await start(() => answers.shift() ?? wrong);
    assert.equal((await get(once)).digest, digest);
    const always = await start(() => wrong);
    await assert.rejects(get(always), failsWith("DIGEST_MISMATCH", false));
    const byDigest = await start(() => ({ status: 200, headers, body: `${body} ` }));
    const asked = open(byDigest.url).getManifest("library/web", digest, signal);
    await assert.rejects(asked, failsWith("DIGEST_MISMATCH", false));
    assert.equal(byDigest.requests.length, 3);
  });

  test("limits the rate is left alone until its time is over", async () => {
    const answers: ScriptedAnswer[] = [{ status: 429, headers: { "retry-after": "30" } }];
    const registry = await start(() => answers.shift() ?? manifest);
    const client = open(registry.url);
    const asked = () => client.getManifest("library/web", "1.0", signal);
    for (const expected of [30_000, 20_000]) {
      await assert.rejects(asked(), (thrown) => {
        failsWith("REGISTRY_RATE_LIMITED", true)(thrown);
        return thrown instanceof JobFailure && thrown.retryAfterMs === expected;
      });
      clock.advance(10_000);
    }
    assert.equal(registry.requests.length, 2);
    clock.advance(10_000);
    assert.equal((await asked()).digest, digest);
  });

  test("sends a manifest without end is cut off", async () => {
    const registry = await start(() => ({ status: 200, headers, body: "x".repeat(4 * 1024 * 1024 + 1) }));
    await assert.rejects(get(registry), failsWith("REGISTRY_ANSWER_TOO_LARGE", false));
  });

  test("drops an idle connection is asked again at once", async () => {
    const answers: ScriptedAnswer[] = ["reset"];
    const registry = await start(() => answers.shift() ?? manifest);
    assert.equal((await get(registry)).digest, digest);
  });

  test("hangs does not keep a stopped job", async () => {
    const registry = await start(() => "hang");
    const stopped = new AbortController();
    const asked = open(registry.url).getManifest("library/web", "1.0", stopped.signal);
    while (registry.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const before = performance.now();
    stopped.abort(new Error("stopped"));
    await assert.rejects(asked, /stopped/);
    assert.ok(performance.now() - before < 1_000);
  });

  test("is gone fails for now, and is then left alone for a while", async () => {
    const registry = await start(() => manifest);
    const client = open(registry.url);
    await registry.stop();
    const asked = () => client.getManifest("library/web", "1.0", signal);
    for (let times = 0; times < 5; times += 1) await assert.rejects(asked(), failsWith("REGISTRY_UNREACHABLE", true));
    await assert.rejects(asked(), isLeftAlone("REGISTRY_UNREACHABLE"));
  });

  test("answers 5xx is left alone for a while, one that only refuses is not", async () => {
    const broken = open((await start(() => ({ status: 500 }))).url);
    const askBroken = () => broken.getManifest("library/web", "1.0", signal);
    for (let times = 0; times < 4; times += 1) await assert.rejects(askBroken(), failsWith("REGISTRY_FAULT", true));
    await assert.rejects(askBroken(), isLeftAlone("REGISTRY_FAULT"));
    const strict = open((await start(() => ({ status: 403, body: registryError("DENIED") }))).url);
    const askStrict = () => strict.getManifest("library/web", "1.0", signal);
    for (let times = 0; times < 12; times += 1) await assert.rejects(askStrict(), failsWith("ACCESS_DENIED", false));
  });
});
