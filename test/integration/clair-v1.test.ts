import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { sampleImage, sampleImages } from "@drydock/demo/images/sample-images.ts";
import { pushImages } from "@drydock/demo/registry/push-image.ts";
import { createRegistry, type Registry } from "@drydock/demo/registry/registry.ts";
import type { TokenAnswer } from "@drydock/demo/registry/token-server.ts";
import type { LayerRequest } from "@drydock/demo/scanner/clair-v1/layer-request.ts";
import type { Fault } from "@drydock/demo/scanner/clair-v1/routes.ts";
import { createEvaluationScanner, type EvaluationScanner } from "@drydock/demo/scanner/evaluation-scanner.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { Report } from "@drydock/scanner-worker/domain/report.ts";
import { FakeJobContext } from "@drydock/scanner-worker/jobs/fake-job-context.ts";
import { createImageScan } from "@drydock/scanner-worker/jobs/image-scan.ts";
import { createHttpClient, type HttpClient } from "@drydock/scanner-worker/registry/http-client.ts";
import { createRegistryClients } from "@drydock/scanner-worker/registry/registry-clients.ts";
import { createClairClient } from "@drydock/scanner-worker/scanners/clair-v1/client.ts";
import { prepareLayers } from "@drydock/scanner-worker/scanners/clair-v1/layers.ts";
import { parseLayer } from "@drydock/scanner-worker/scanners/clair-v1/parse.ts";
import { createClairV1 } from "@drydock/scanner-worker/scanners/clair-v1/scanner.ts";
import { systemClock } from "@drydock/shared/clock.ts";

interface Recording {
  images: Record<string, { layers: string[] }>;
  exchanges: { label: string; response: { body: unknown } }[];
}

interface Fixes {
  fixes: Record<string, Record<string, string>>;
}

const readJson = <T>(path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as T;
const debian = readJson<Recording>("../fixtures/clair/v1.json");
const alpine = readJson<Recording>("../fixtures/clair/v1-alpine.json");
const { fixes } = readJson<Fixes>("../../demo/data/advisories/debian-12.json");

function recorded({ images, exchanges }: Recording, image: string, label: string) {
  const layers = images[image]?.layers ?? [];
  const chain = prepareLayers(layers.map((digest) => ({ digest, mediaType: "", sizeBytes: 0, format: "tar+gzip" })));
  const exchange = exchanges.find((entry) => entry.label === label);
  return {
    layers,
    found: parseLayer(exchange?.response.body, new Map(chain.map(({ name, digest }) => [name, digest]))),
  };
}

/** Findings as text: package, version, vulnerability, fix; in order. */
function textsOf({ packages, findings }: Pick<Report, "packages" | "findings">): string[] {
  const names = new Map(packages.map(({ id, name, version }) => [id, `${name} ${version}`]));
  return findings
    .map(
      ({ packageId, vulnerabilityKey, fixedVersion }) => `${names.get(packageId)} ${vulnerabilityKey} ${fixedVersion}`,
    )
    .sort();
}

describe("the recordings of a real Clair 2.1", () => {
  test("of the image web are read to 90 CVEs on 10 packages, each with its real fix", () => {
    const { found } = recorded(debian, "web", "web result");
    assert.equal(found.packages.length, 92);
    assert.equal(new Set(found.vulnerabilities.map(({ name }) => name)).size, 90);
    assert.equal(new Set(found.findings.map(({ packageId }) => packageId)).size, 10);
    const versions = new Map(found.packages.map(({ id, name }) => [id, name]));
    for (const { packageId, vulnerabilityKey, fixedVersion, severity, status } of found.findings) {
      const fix = fixes[versions.get(packageId) ?? ""]?.[vulnerabilityKey.split("/")[1] ?? ""];
      assert.deepEqual([fixedVersion, severity, status], [fix, "UNKNOWN", "FIXED_AVAILABLE"]);
    }
  });

  test("hold nothing that is not read: the same CVEs stand in the text", () => {
    const { found } = recorded(debian, "web", "web result");
    const exchange = debian.exchanges.find(({ label }) => label === "web result");
    const inText = [...JSON.stringify(exchange?.response.body).matchAll(/"Name":"(CVE-[^"]+)"/g)].map(
      ([, name]) => name,
    );
    assert.deepEqual(found.vulnerabilities.map(({ name }) => name).sort(), [...new Set(inText)].sort());
  });

  test("tell which layer brought a package", () => {
    const { found, layers } = recorded(debian, "web", "web result");
    const layerOf = (name: string) => found.packages.find((entry) => entry.name === name)?.layerDigest;
    assert.equal(layerOf("adduser"), layers[0]);
    assert.equal(layerOf("curl"), layers[1]);
  });

  test("of an image without packages are read to no operating system", () => {
    const { found } = recorded(debian, "empty", "scratch result");
    assert.deepEqual([found.distributions, found.packages], [[], []]);
  });

  test("of Alpine are read with severities and scores", () => {
    const { found } = recorded(alpine, "alpine315", "result alpine315");
    assert.deepEqual(textsOf(found), [
      "busybox 1.34.1-r4 alpine:v3.15/CVE-2022-28391 1.34.1-r5",
      "zlib 1.2.12-r1 alpine:v3.15/CVE-2022-37434 1.2.12-r2",
    ]);
    const zlib = found.vulnerabilities.find(({ name }) => name === "CVE-2022-37434");
    assert.deepEqual([zlib?.severity, zlib?.cvss[0]?.score, zlib?.cvss[0]?.version], ["CRITICAL", 9.8, "3.1"]);
    assert.equal(
      found.packages.find(({ name }) => name === "zlib")?.purl,
      "pkg:apk/alpine/zlib@1.2.12-r1?distro=alpine-3.15",
    );
  });
});

function pick(headers: Record<string, string>, name: string): Record<string, string> {
  return { [name]: headers[name] ?? "" };
}

describe("IMAGE_SCAN with a real registry and the evaluation scanner", () => {
  let registry: Registry;
  let clair: EvaluationScanner;
  let http: HttpClient;
  let scannerHttp: HttpClient;
  let posted: LayerRequest[];
  let onPost: (layer: LayerRequest) => Promise<Fault | undefined>;
  let context: FakeJobContext;
  const tokenAnswers: TokenAnswer[] = [];

  before(async () => {
    registry = createRegistry({ tokens: { onToken: async () => tokenAnswers.shift() } });
    await registry.start();
    const target = { url: registry.url, ...registry.writer };
    await pushImages(target, sampleImages());
  });
  after(() => registry.stop());

  beforeEach(async () => {
    posted = [];
    onPost = async () => undefined;
    tokenAnswers.length = 0;
    const onLayer = async (layer: LayerRequest) => {
      posted.push(layer);
      return await onPost(layer);
    };
    clair = createEvaluationScanner({ onLayer });
    await clair.start();
    http = createHttpClient({ party: "REGISTRY", userAgent: "drydock-scanner-worker/test" });
    scannerHttp = createHttpClient({ party: "SCANNER", userAgent: "drydock-scanner-worker/test" });
  });
  afterEach(() => Promise.all([http.stop(), scannerHttp.stop(), clair.stop()]));

  function worker(scannerUrl = clair.url) {
    const registries = createRegistryClients({ http, credential: { kind: "basic", ...registry.reader } });
    const client = createClairClient({ url: scannerUrl, send: scannerHttp.send });
    const job = createImageScan({
      registry: registries.open(registry.url, registry.url),
      scanner: createClairV1({ client, retryWaitMs: 1 }),
      clock: systemClock,
    });
    return async (name: string) => {
      const [repository = "", tag = ""] = name.split(":");
      context = new FakeJobContext();
      await job.run(context, { repository, tag });
      const [report] = context.reports;
      const texts = context.checkins.map(({ text }) => text);
      assert.ok(report);
      assert.doesNotMatch(`${texts}${context.lines}`, /Bearer|password|eyJ/);
      return { report, summary: texts.at(-1) };
    };
  }

  test("finds exactly what the real Clair found in the image web", async () => {
    const { report, summary } = await worker()("library/web:1.0");
    assert.deepEqual(textsOf(report), textsOf(recorded(debian, "web", "web result").found));
    assert.deepEqual([report.coverage, report.summary.unique, report.summary.packageCount], ["FULL", 90, 92]);
    assert.deepEqual([report.scanner?.name, report.scanner?.vendor], ["Drydock evaluation scanner", "Drydock"]);
    assert.match(summary ?? "", /^90 vulnerabilities in 10 of 92 packages: /);
    assert.deepEqual(
      report.layers.map(({ clairName }) => clairName),
      posted.map(({ name }) => name),
    );
    assert.equal(report.artifact.digest, sampleImage("library/web:1.0").digest);
  });

  test("gives no layer twice: not in a second scan, not by another worker, not for a shared base", async () => {
    const scan = worker();
    const first = await scan("library/web:1.0");
    const second = await worker()("library/web:1.0");
    assert.deepEqual(textsOf(second.report), textsOf(first.report));
    await scan("library/debian:12");
    assert.equal(posted.length, 3);
  });

  test("finds vulnerabilities with and without a fix, in Debian and in Alpine, Docker's format and OCI's", async () => {
    const scan = worker();
    const { report } = await scan("library/debian:11");
    assert.deepEqual([...new Set(report.findings.map(({ status }) => status))].sort(), ["AFFECTED", "FIXED_AVAILABLE"]);
    const found = recorded(alpine, "alpine315", "result alpine315").found;
    assert.deepEqual(textsOf((await scan("library/alpine:3.15")).report), textsOf(found));
  });

  test("tells clean from unsupported and from what is no image", async () => {
    const scan = worker();
    assert.match(
      (await scan("library/clean:1.0")).summary ?? "",
      /^no vulnerabilities found in \d+ packages \(full coverage\)$/,
    );
    assert.equal((await scan("library/scratch:1.0")).report.coverage, "UNSUPPORTED");
    assert.match((await scan("charts/web:1.0.0")).summary ?? "", /^skipped: not an image \(/);
  });

  test("leaves out the layer alone that Clair refuses, and finds what is in the others", async () => {
    const message = "tarutil: could not extract one or more files from the archive: file too big";
    onPost = async () => (posted.length === 3 ? { status: 422, message } : undefined);
    const { report, summary } = await worker()("library/web:1.0");
    assert.deepEqual([report.coverage, report.coverageNotes], ["PARTIAL", ["unsupported_layer"]]);
    assert.deepEqual([report.summary.unique, report.layers.map(({ skipped }) => skipped)], [90, [false, false, true]]);
    assert.match(summary ?? "", /^90 vulnerabilities in 10 of 92 packages: .* \(partial: .*\)$/);
  });

  for (const [what, name, note, namespace] of [
    ["an operating system whose packages Clair can't read", "library/distroless:12", "no_packages", "debian:12"],
    ["a distribution without data", "library/debian:13", "no_vulnerability_data", "debian:13"],
  ] as const) {
    test(`tells ${what} from clean`, async () => {
      const { report, summary } = await worker()(name);
      assert.deepEqual([report.coverage, report.coverageNotes], ["UNSUPPORTED", [note]]);
      assert.deepEqual([report.headline, report.findings], [summary, []]);
      assert.match(summary ?? "", new RegExp(`^unsupported: .* ${namespace}$`));
    });
  }

  test("says of a Clair with an empty database that it has no data, until it has some", async () => {
    const empty = createEvaluationScanner({ advisories: [] });
    await empty.start();
    try {
      const { report, summary } = await worker(empty.url)("library/web:1.0");
      assert.deepEqual([report.coverage, report.coverageNotes], ["UNSUPPORTED", ["no_vulnerability_data"]]);
      assert.equal(report.distributions[0]?.vulnerabilityData, "ABSENT");
      assert.equal(summary, "unsupported: the scanner has no vulnerability data for debian:12");
    } finally {
      await empty.stop();
    }
    assert.equal((await worker()("library/clean:1.0")).report.coverage, "FULL");
  });

  for (const name of ["library/multi:1.0", "library/multi-bare:1.0"]) {
    test(`finds the image for linux/amd64 in the index ${name}`, async () => {
      const { report } = await worker()(name);
      const image = sampleImage(name).listed[1];
      assert.deepEqual([report.artifact.digest, report.artifact.platform?.architecture], [image?.digest, "amd64"]);
      assert.deepEqual([report.artifact.indexDigest, report.summary.total], [sampleImage(name).digest, 1]);
    });
  }

  test("gets new rights when those that the scanner was handed run out before it fetches the layer", async () => {
    tokenAnswers.push({ lifetimeSeconds: 2, expiresInSeconds: 300 });
    const deadline = Date.now() + 5_000;
    onPost = async ({ path, headers }) => {
      const status = async () =>
        (await fetch(path, { method: "HEAD", headers: pick(headers, "Authorization") })).status;
      while (posted.length === 1 && Date.now() < deadline && (await status()) === 200);
      return undefined;
    };
    const { report } = await worker()("library/debian:11");
    assert.equal(report.coverage, "FULL");
    assert.equal(posted.length, 2);
    assert.notEqual(posted[0]?.headers.Authorization, posted[1]?.headers.Authorization);
  });

  test("ends within a second when it is stopped while a layer is read", async () => {
    let stoppedAt = 0;
    onPost = () => {
      stoppedAt = performance.now();
      context.interrupt(new Error("stopped"));
      return new Promise(() => undefined);
    };
    await assert.rejects(worker()("library/web:1.0"), /stopped/);
    assert.ok(stoppedAt > 0 && performance.now() - stoppedAt < 1_000);
  });

  test("fails for now when the scanner is gone, for good when it is no Clair", async () => {
    const failsWith = (reason: string, retryable: boolean) => (thrown: unknown) =>
      thrown instanceof JobFailure && thrown.reason === reason && thrown.retryable === retryable;
    await assert.rejects(worker(`${registry.url}/x`)("library/web:1.0"), failsWith("SCANNER_UNSUPPORTED", false));
    const { url } = clair;
    await clair.stop();
    await assert.rejects(worker(url)("library/web:1.0"), failsWith("SCANNER_UNREACHABLE", true));
  });
});
