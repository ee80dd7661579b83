import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { HttpService } from "@drydock/demo/http-service.ts";
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
import { createSlowScanner } from "../support/slow-scanner.ts";

const { signal } = new AbortController();
const web = sampleImage("library/web:1.0");
let registry: Registry;
let clair: EvaluationScanner;
let slow: HttpService;
let http: HttpClient;

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
  };
}

test("an image whose every layer takes the scanner too long is scanned with one attempt used", async () => {
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
  assert.deepEqual(faults, ["job", ...faults.slice(1).map(() => "outside")]);
  assert.equal((await scanner.scan(target, () => {}, signal)).packages.length, 92);
});
