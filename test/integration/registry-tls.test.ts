import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { createSelfSignedCertificate } from "@drydock/demo/registry/self-signed-certificate.ts";
import { readWorkerConfig } from "@drydock/scanner-worker/config.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import { createHttpClient, type HttpClientOptions } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { ConfigError } from "@drydock/shared/config.ts";
import type { LookupAll, TlsTrust } from "@drydock/shared/http-transport.ts";
import { readProxies } from "@drydock/shared/proxies.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { startPlainRegistry } from "../support/plain-registry.ts";

const signal = AbortSignal.timeout(30_000);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const pem = { type: "pkcs8", format: "pem" } as const;

const pair = (name: string) => {
  const { privateKey, pem: certificate } = createSelfSignedCertificate(name);
  return { certificate, key: privateKey.export(pem).toString() };
};

const loopback: LookupAll = (_, __, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]);

function failsWith(words: RegExp) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.equal(thrown.reason, "REGISTRY_TLS_INVALID", thrown.message);
    assert.match(thrown.message, words);
    return true;
  };
}

describe("a registry with a certificate of an authority that nobody knows", () => {
  const [server, worker, stranger] = ["registry.test", "worker", "stranger"].map(pair);
  const trust = { authorities: server?.certificate };

  /** Starts a registry, a real one, that lets in those alone who have the worker's certificate, or anybody. */
  async function start(wantsCertificate: boolean): Promise<string> {
    const files = { "server.pem": server?.certificate, "key.pem": server?.key, "clients.pem": worker?.certificate };
    const clients = wantsCertificate ? { clientcas: ["$FOLDER/clients.pem"] } : {};
    const tls = { certificate: "$FOLDER/server.pem", key: "$FOLDER/key.pem", ...clients };
    const registry = await startPlainRegistry({
      config: { http: { tls } },
      prepare: (folder) =>
        Promise.all(Object.entries(files).map(([name, text = ""]) => writeFile(join(folder, name), text))),
    });
    stops.push(() => registry[Symbol.asyncDispose]());
    return registry.address;
  }

  function list(address: string, options: Partial<HttpClientOptions>) {
    const http = createHttpClient({ party: "REGISTRY", userAgent: "test", lookupAll: loopback, ...options });
    stops.push(() => http.stop());
    const url = `https://registry.test:${address.split(":")[1]}`;
    return createRegistryClients({ http }).open(url, url).catalog.listRepositories(undefined, signal);
  }

  test("is refused, and trusted once the authority is named", async () => {
    const address = await start(false);
    await assert.rejects(list(address, {}), failsWith(/in DRYDOCK_REGISTRY_CA$/));
    assert.deepEqual((await list(address, { tls: trust })).items, []);
  });

  test("lets in a worker by its certificate alone, also through a proxy's tunnel", async () => {
    const address = await start(true);
    await assert.rejects(list(address, { tls: trust }), failsWith(/see DRYDOCK_REGISTRY_CLIENT_CERT$/));
    await assert.rejects(list(address, { tls: { ...trust, ...stranger } }), failsWith(/DRYDOCK_REGISTRY_CLIENT_CERT$/));
    const tls: TlsTrust = { ...trust, ...worker };
    assert.deepEqual((await list(address, { tls })).items, []);
    await using proxy = await startForwardProxy(address);
    const proxies = readProxies({ HTTPS_PROXY: proxy.url });
    assert.deepEqual((await list(address, { tls, proxies })).items, []);
    assert.ok(proxy.asked.length > 0);
  });
});

describe("the files of certificates and keys", () => {
  const { certificate, key } = pair("worker");
  const names = {
    ca: "DRYDOCK_REGISTRY_CA",
    certificate: "DRYDOCK_REGISTRY_CLIENT_CERT",
    key: "DRYDOCK_REGISTRY_CLIENT_KEY",
  };
  let folder: string;
  let path: (name: string) => string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "drydock-pem-"));
    path = (name) => join(folder, name);
    await Promise.all([
      writeFile(path("certificate"), `a comment\n${certificate}${certificate}`),
      writeFile(path("key"), key),
      writeFile(path("other-key"), pair("other").key),
      writeFile(path("cut"), certificate.replace(/\n[^\n]+\n(-----END)/, "\n$1")),
      writeFile(path("encrypted"), createPrivateKey(key).export({ ...pem, cipher: "aes-256-cbc", passphrase: "x" })),
      writeFile(path("empty"), ""),
    ]);
  });
  after(() => rm(folder, { recursive: true }));

  function faultsOf(env: Record<string, string>): string[] {
    try {
      readWorkerConfig(env);
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return [...error.faults];
    }
  }

  test("are read at the start", () => {
    const files = {
      [names.ca]: path("certificate"),
      [names.certificate]: path("certificate"),
      [names.key]: path("key"),
    };
    const { authorities, ...rest } = readWorkerConfig(files).scan.registryTls;
    assert.deepEqual(rest, { certificate: authorities, key });
    assert.ok(authorities?.includes(certificate));
  });

  test("are named with their variable when they can't be, all at once", () => {
    const missing = faultsOf({
      [names.ca]: path("nowhere"),
      [names.certificate]: path("key"),
      [names.key]: path("empty"),
    });
    assert.deepEqual(
      missing.map((line) => line.split(" ")[0]),
      [names.ca, names.certificate, names.key],
    );
    assert.match(missing[0] ?? "", /nowhere": can't read that file \(ENOENT\)$/);
    assert.match(missing[1] ?? "", /BEGIN CERTIFICATE/);
    assert.match(missing[2] ?? "", /private key \(PEM\)/);
    assert.match(faultsOf({ [names.ca]: path("cut") }).join(), /one of them can't be read$/);
    const encrypted = faultsOf({ [names.key]: path("encrypted"), [names.certificate]: path("certificate") });
    assert.match(encrypted.join(), /without a passphrase$/);
  });

  test("are certificate and key together, and belong together", () => {
    const alone = faultsOf({ [names.certificate]: path("certificate") });
    assert.match(alone.join(), /CLIENT_CERT is set and DRYDOCK_REGISTRY_CLIENT_KEY is not: set both/);
    const wrong = faultsOf({ [names.certificate]: path("certificate"), [names.key]: path("other-key") });
    assert.match(wrong.join(), /CLIENT_KEY is not the key of the certificate that DRYDOCK_REGISTRY_CLIENT_CERT names/);
    assert.ok(!wrong.join().includes("PRIVATE"));
  });
});
