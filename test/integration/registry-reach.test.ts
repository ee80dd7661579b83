import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { afterEach, describe, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createSelfSignedCertificate } from "@drydock/demo/registry/self-signed-certificate.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import { createHttpClient, type HttpClientOptions } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import type { LookupAll } from "@drydock/shared/http-transport.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import { boundAddress } from "@drydock/shared/listen.ts";
import { readProxies } from "@drydock/shared/proxies.ts";
import { type ForwardProxy, startForwardProxy } from "../support/forward-proxy.ts";
import { startRawServer } from "../support/raw-server.ts";
import { createScriptedRegistry, type ScriptedAnswer, type SeenRequest } from "../support/scripted-registry.ts";

const signal = AbortSignal.timeout(30_000);
const body = JSON.stringify({ manifests: [] });
const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
const manifest: ScriptedAnswer = {
  status: 200,
  headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
  body,
};
const credential = { kind: "basic", username: "scanner", password: "password" } as const;
const to = (location: string): ScriptedAnswer => ({ status: 307, headers: { location } });

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start<S extends Pick<Service, "start" | "stop">>(service: S): Promise<S> {
  await service.start();
  stops.push(() => service.stop());
  return service;
}

async function startProxy(target: string): Promise<ForwardProxy> {
  const proxy = await startForwardProxy(target);
  stops.push(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

function createScripted(script: (request: SeenRequest) => ScriptedAnswer) {
  return start(createScriptedRegistry((request) => (request.path === "/v2/" ? { status: 200 } : script(request))));
}

function open(url: string, options: Partial<HttpClientOptions> = {}) {
  const http = createHttpClient({ party: "REGISTRY", userAgent: "test", ...options });
  stops.push(() => http.stop());
  return createRegistryClients({ http, credential }).open(url, url);
}

const get = (client: ReturnType<typeof open>) => client.getManifest("library/web", "1.0", signal);

function failsWith(reason: string, words: RegExp) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.equal(thrown.reason, reason, thrown.message);
    assert.match(thrown.message, words);
    return true;
  };
}

/** Looks up what the table has, and loopback for all else. */
function lookupBy(table: Record<string, string>): LookupAll {
  return (hostname, _, callback) => {
    const address = table[hostname] ?? "127.0.0.1";
    callback(null, [{ address, family: address.includes(":") ? 6 : 4 }]);
  };
}

test("interim answers of a registry are passed over", async () => {
  for (const interim of ["100 Continue", "102 Processing", "103 Early Hints"]) {
    const answer = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    await using raw = await startRawServer(`HTTP/1.1 ${interim}\r\n\r\n`, answer);
    assert.equal((await get(open(`http://${raw.address}`))).digest, digest, interim);
  }
});

describe("a registry sends the worker", () => {
  const forbidden = ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]", "0xa9fea9fe", "0.0.0.0"];
  for (const host of [...forbidden, "metadata.test", "here.test"]) {
    test(`not to ${host}, neither by a redirect nor by its realm`, async () => {
      const lookupAll = lookupBy({ "metadata.test": "169.254.169.254", "here.test": "fe80::7" });
      const target = `http://${host}:80/latest/meta-data/`;
      const redirecting = await createScripted(() => to(target));
      const refused = failsWith("REGISTRY_ADDRESS_REFUSED", /metadata service.*mend the registry's redirects/);
      const client = open(redirecting.url, { lookupAll });
      for (let times = 0; times < 6; times += 1) await assert.rejects(get(client), refused);
      const challenging = await createScripted(() => ({
        status: 401,
        headers: { "www-authenticate": `Bearer realm="${target}"` },
      }));
      const http = createHttpClient({ party: "REGISTRY", userAgent: "test", lookupAll });
      stops.push(() => http.stop());
      const anybody = createRegistryClients({ http }).open(challenging.url, challenging.url);
      await assert.rejects(get(anybody), refused);
    });
  }

  test("to loopback and to names for it when it is there itself", async () => {
    const storage = await createScripted(() => manifest);
    for (const host of ["127.0.0.1", "storage.test"]) {
      const url = storage.url.replace("127.0.0.1", host);
      const registry = await createScripted(() => to(`${url}/blob`));
      assert.equal((await get(open(registry.url, { lookupAll: lookupBy({}) }))).digest, digest, host);
    }
  });

  test("not to loopback when it is elsewhere", async () => {
    const local = await createScripted(() => manifest);
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "inside.test"]) {
      const registry = await createScripted(() => to(local.url.replace("127.0.0.1", host)));
      const proxy = await startProxy(new URL(registry.url).host);
      const proxies = readProxies({ HTTP_PROXY: proxy.url, NO_PROXY: "inside.test" });
      const client = open("http://registry.test", { proxies, lookupAll: lookupBy({ "registry.test": "10.0.0.1" }) });
      await assert.rejects(get(client), failsWith("REGISTRY_ADDRESS_REFUSED", /this machine/), host);
    }
    assert.equal(local.requests.length, 0);
  });

  test("to private networks", async () => {
    const storage = await createScripted(() => manifest);
    const registry = await createScripted(() => to("http://10.1.2.3/blob"));
    const proxy = await startProxy(new URL(storage.url).host);
    const proxies = readProxies({ HTTP_PROXY: proxy.url });
    assert.equal((await get(open(registry.url, { proxies }))).digest, digest);
    assert.deepEqual(proxy.asked, ["GET http://10.1.2.3/blob"]);
  });
});

describe("a registry with https behind a proxy", () => {
  /** What answers for every host below corp.test, and what it was asked, as "host/path Authorization's scheme". */
  async function startServer(script: (host: string, path: string, proof: string) => ScriptedAnswer) {
    const { privateKey, pem } = createSelfSignedCertificate("*.corp.test");
    const trusted = getCACertificates("default");
    setDefaultCACertificates([...trusted, pem]);
    const asked: string[] = [];
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    const server: Server = createServer({ key, cert: pem }, ({ url = "", headers }, response) => {
      const [path = ""] = url.split("?");
      const proof = headers.authorization ?? "";
      asked.push(`${headers.host}${path} ${proof.split(" ")[0] || "-"}`);
      const answer = script(headers.host ?? "", path, proof);
      if (typeof answer === "object") response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.push(() => {
      setDefaultCACertificates(trusted);
      server.closeAllConnections();
      server.close();
    });
    return { asked, proxy: await startProxy(boundAddress(server)) };
  }

  const bearer = (realm: string): ScriptedAnswer => ({
    status: 401,
    headers: { "www-authenticate": `Bearer realm="${realm}",service="x"` },
  });

  test("is asked with credentials at the token server of its domain, and its storage without", async () => {
    const { asked, proxy } = await startServer((host, path, proof) => {
      if (host === "auth.corp.test") return { status: 200, body: '{"token":"t"}' };
      if (host === "storage.corp.test") return manifest;
      return proof === "Bearer t" ? to(`https://storage.corp.test${path}`) : bearer("https://auth.corp.test/token");
    });
    const client = open("https://registry.corp.test", { proxies: readProxies({ HTTPS_PROXY: proxy.url }) });
    assert.equal((await get(client)).digest, digest);
    assert.deepEqual(asked, [
      "registry.corp.test/v2/ -",
      "auth.corp.test/token Basic",
      "registry.corp.test/v2/library/web/manifests/1.0 Bearer",
      "storage.corp.test/v2/library/web/manifests/1.0 -",
    ]);
    const hosts = ["registry", "auth", "storage"].map((host) => `CONNECT ${host}.corp.test:443`);
    assert.deepEqual(proxy.asked, hosts);
  });

  test("that redirects to a stranger who asks for credentials gives him none", async () => {
    const { asked, proxy } = await startServer((host, path) => {
      if (path === "/v2/") return { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
      return host === "registry.corp.test" ? to("https://evil.corp.test/") : bearer("https://evil.corp.test/token");
    });
    const client = open("https://registry.corp.test", { proxies: readProxies({ HTTPS_PROXY: proxy.url }) });
    for (let times = 0; times < 2; times += 1) {
      await assert.rejects(get(client), failsWith("ACCESS_DENIED", /at evil\.corp\.test, where it redirects to/));
    }
    assert.deepEqual(
      asked.filter((line) => line.startsWith("evil")),
      ["evil.corp.test/ -", "evil.corp.test/ -"],
    );
  });

  test("that the proxy does not lead to is unreachable, by the proxy's own words", async () => {
    await using proxy = await startRawServer("HTTP/1.1 403 Forbidden\r\n\r\n");
    const proxies = readProxies({ HTTPS_PROXY: `http://user:secret@${proxy.address}` });
    await assert.rejects(get(open("https://registry.corp.test", { proxies })), (thrown: Error) => {
      failsWith("REGISTRY_UNREACHABLE", /registry\.corp\.test can't be reached: .*tunnel.*403 Forbidden/)(thrown);
      return !thrown.message.includes("secret");
    });
  });
});
