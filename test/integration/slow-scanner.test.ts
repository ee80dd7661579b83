import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createHttpService, type HttpService } from "@drydock/demo/http-service.ts";
import { sampleImage } from "@drydock/demo/images/sample-images.ts";
import { pushImage } from "@drydock/demo/registry/push-image.ts";
import { createRegistry, type Registry } from "@drydock/demo/registry/registry.ts";
import { createEvaluationScanner, type EvaluationScanner } from "@drydock/demo/scanner/evaluation-scanner.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { ScanTarget } from "@drydock/scanner-worker/ports/scanner.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { createClairClient } from "@drydock/scanner-worker/scanners/clair-v1/client.ts";
import { createClairV1 } from "@drydock/scanner-worker/scanners/clair-v1/scanner.ts";
import { createSlowScanner, tooLate } from "../support/slow-scanner.ts";

const { signal } = new AbortController();
const web = sampleImage("library/web:1.0");
let registry: Registry;
let clair: EvaluationScanner;
let slow: HttpService;
let http: HttpClient;

const notFound = { Error: { Message: "the resource cannot be found" } };

/** A scanner that has no layers and never answers when it is given one, or answers as `tooLate` does. */
function createStuckScanner(post: "silent" | "too late", probe: "silent" | "fine"): HttpService {
  return createHttpService({
    name: "stuck scanner",
    listen: "127.0.0.1:0",
    answer: async ({ method, url }, response) => {
      if (method === "POST") {
        if (post === "too late") response.writeHead(503).end(JSON.stringify(tooLate));
      } else if (url !== "/v1/namespaces") response.writeHead(404).end(JSON.stringify(notFound));
      else if (probe === "fine") response.writeHead(200).end("{}");
      else response.destroy();
    },
  });
}

before(async () => {
  registry = createRegistry();
  clair = createEvaluationScanner();
  http = createHttpClient({ party: "SCANNER", userAgent: "drydock-scanner-worker/test" });
  await Promise.all([registry.start(), clair.start()]);
  slow = createSlowScanner(clair.url);
  await slow.start();
  await pushImage({ url: registry.url, ...registry.writer }, web);
});
after(() => Promise.all([http.stop(), slow.stop(), clair.stop(), registry.stop()]));

async function targetOf(repository: string, tag: string): Promise<ScanTarget> {
  const client = createRegistryClients({ http, credential: { kind: "basic", ...registry.reader } }).open(
    registry.url,
    registry.url,
  );
  const manifest = await client.getManifest(repository, tag, signal);
  assert.ok(manifest.kind === "image");
  return {
    repository,
    manifest,
    blobHeaders: (aborts, renew) => client.blobHeaders(repository, aborts, renew),
    blobUrl: (digest) => client.blobUrl(repository, digest),
    hasBlob: (digest, aborts) => client.hasBlob(repository, digest, aborts),
    withLayerLock: (_layer, work) => work(),
  };
}

test("an image whose every layer takes the scanner too long is scanned with no attempt used", async () => {
  const target = await targetOf("library/web", "1.0");
  const scanner = createClairV1({ client: createClairClient({ url: slow.url, send: http.send }) });
  const faults: string[] = [];
  for (const _layer of target.manifest.layers) {
    const end = await scanner.scan(target, () => {}, signal).catch((error: unknown) => error);
    assert.ok(end instanceof JobFailure, "it ended too early");
    assert.deepEqual([end.reason, end.closesType], ["SCANNER_TIMEOUT", false]);
    faults.push(end.fault);
  }
  assert.ok(faults.length >= 2);
  assert.deepEqual(new Set(faults), new Set(["outside"]));
  assert.equal((await scanner.scan(target, () => {}, signal)).packages.length, 92);
});

for (const [what, post, probe] of [
  ["never answers when it is given a layer", "silent", "fine"],
  ["never answers, neither a layer nor a probe", "silent", "silent"],
  ["says that it is too slow and answers no probe", "too late", "silent"],
] as const) {
  test(`a Clair that ${what} uses no attempt, whether its circuit breaker is open or not`, async () => {
    const target = await targetOf("library/web", "1.0");
    const stuck = createStuckScanner(post, probe);
    await stuck.start();
    try {
      const client = createClairClient({ url: stuck.url, send: http.send, indexTimeoutMs: 50 });
      const scanner = createClairV1({ client });
      const isOutside = (end: unknown) => {
        assert.ok(end instanceof JobFailure, String(end));
        assert.deepEqual([end.fault, end.closesType], ["outside", true], end.message);
        return true;
      };
      const scan = () => scanner.scan(target, () => {}, signal);
      for (let attempt = 0; attempt < 3; attempt += 1) await assert.rejects(scan(), isOutside);
      const layer = { Name: "a", Path: "http://registry/a", Headers: {}, Format: "Docker" } as const;
      await Promise.allSettled(Array.from({ length: 20 }, () => client.postLayer(layer, signal)));
      await assert.rejects(scan(), (end) => isOutside(end) && /left alone for now/.test(String(end)));
    } finally {
      await stuck.stop();
    }
  });
}
