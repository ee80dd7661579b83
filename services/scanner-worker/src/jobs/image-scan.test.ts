import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Manifest } from "../domain/image-manifest.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { Report } from "../domain/report.ts";
import type { ScanResult } from "../domain/scan-result.ts";
import type { JobContext, Progress } from "../ports/job.ts";
import type { Scanner } from "../ports/scanner.ts";
import type { ImageRegistry } from "./image-registry.ts";
import { createImageScan } from "./image-scan.ts";
import type { ImageScanParameters } from "./image-scan-parameters.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const layer = { digest: digest("1"), mediaType: "", sizeBytes: 5, format: "tar+gzip" } as const;
const image = (digit: string): Manifest => {
  return { kind: "image", digest: digest(digit), mediaType: "m", configDigest: digest("c"), layers: [layer, layer] };
};
const vulnerability = { key: "k", name: "CVE-1", namespace: "", description: "", links: [], cvss: [], extensions: {} };
const found: ScanResult = {
  scanner: { kind: "CLAIR_V1", name: "Clair", vendor: "", version: "", engineVersion: 3 },
  distributions: [
    { did: "debian", versionId: "12", namespace: "debian:12", versionFormat: "dpkg", vulnerabilityData: "PRESENT" },
  ],
  packages: [
    { id: "p", name: "p", version: "1", versionFormat: "dpkg", namespace: "debian:12", layerDigest: "", purl: "" },
  ],
  vulnerabilities: [{ ...vulnerability, severity: "HIGH", sourceSeverity: "High" }],
  findings: [
    { packageId: "p", vulnerabilityKey: "k", severity: "HIGH", fixedVersion: "", status: "AFFECTED", layerDigest: "" },
  ],
  coverageNotes: [],
  layerNames: ["a", "b"],
  skippedLayers: [],
};

class FakeRegistry implements ImageRegistry {
  readonly url = "http://registry.example";
  readonly asked: string[] = [];
  readonly manifests = new Map<string, Manifest>();

  async getManifest(_repository: string, reference: string): Promise<Manifest> {
    this.asked.push(reference);
    const manifest = this.manifests.get(reference);
    if (manifest === undefined) throw new JobFailure("MANIFEST_UNKNOWN", "no", { retryable: false });
    return manifest;
  }

  async getConfig(): Promise<Uint8Array> {
    return new TextEncoder().encode('{"os":"linux","architecture":"arm64"}');
  }

  async hasBlob(): Promise<boolean> {
    return true;
  }

  blobUrl(repository: string, blob: string): string {
    return `http://seen-by-scanner/${repository}/${blob}`;
  }

  async blobHeaders(): Promise<Record<string, string>> {
    return { Authorization: "Bearer secret" };
  }
}

describe("IMAGE_SCAN", () => {
  let registry: FakeRegistry;
  let scanner: Scanner;
  let reports: Report[];
  let checkins: [text: string, progress: Progress | undefined][];
  let log: string[];
  let stop: AbortController;

  beforeEach(() => {
    registry = new FakeRegistry();
    registry.manifests.set("1.0", image("a"));
    reports = [];
    checkins = [];
    log = [];
    stop = new AbortController();
    scanner = {
      name: "clair-v1",
      probe: async () => {},
      scan: async (_target, onLayer) => {
        for (const done of [0, 1, 0, 1, 2]) onLayer(done);
        return found;
      },
    };
  });

  function context(): JobContext {
    const write = (message: string) => void log.push(message);
    return {
      jobId: "job-1",
      attempt: 1,
      signal: stop.signal,
      logger: { debug: write, info: write, warn: write, error: write },
      get: () => undefined,
      checkin: (text, progress) => void checkins.push([text, progress]),
      opCommand: () => undefined,
      launchJob: () => Promise.reject(new Error("no sub-jobs here")),
      storeReport: async (report) => void reports.push(report),
    };
  }

  function run(parameters: Partial<ImageScanParameters> = {}, withScanner: Scanner = scanner): Promise<void> {
    const job = createImageScan({
      registry,
      scanner: withScanner,
      clock: { now: () => 5_000 },
    });
    return job.run(context(), { repository: "library/web", tag: "1.0", ...parameters });
  }

  const failsWith = (reason: string) => (thrown: unknown) => thrown instanceof JobFailure && thrown.reason === reason;

  test("stores a report of what the tag stands for", async () => {
    await run();
    const [report] = reports;
    assert.equal(report?.reportId, "job-1");
    assert.equal(report?.artifact.digest, digest("a"));
    assert.deepEqual(report?.artifact.tags, ["1.0"]);
    assert.equal(report?.coverage, "FULL");
    assert.equal(report?.scanStartedAt.getTime(), 5_000);
    assert.deepEqual(
      report?.layers.map(({ clairName }) => clairName),
      ["a", "b"],
    );
  });

  test("checks in at each phase, ever further, and ends with what it found", async () => {
    await run();
    const phases = checkins.map(([, progress]) => progress?.phase ?? "");
    assert.deepEqual([...new Set(phases)], ["resolve", "token", "index", "match", "report", "done"]);
    const percents = checkins.map(([, progress]) => progress?.percent ?? -1);
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    );
    assert.deepEqual(checkins.at(-1), [
      "1 vulnerability in 1 of 1 package: 1 high (full coverage)",
      { phase: "done", percent: 100 },
    ]);
  });

  test("writes what it does into the log, without secrets", async () => {
    await run({ job_int_id: 7 });
    assert.ok(log.some((line) => line.includes(digest("a"))));
    assert.ok(log.some((line) => /number 7/.test(line)));
    assert.ok(!log.join("\n").includes("secret"));
  });

  test("hands the scanner what it needs to fetch the layers", async () => {
    const urls: string[] = [];
    await run(
      {},
      {
        ...scanner,
        scan: async (target) => {
          urls.push(target.blobUrl(digest("1")), JSON.stringify(await target.blobHeaders(stop.signal)));
          return found;
        },
      },
    );
    assert.deepEqual(urls, [`http://seen-by-scanner/library/web/${digest("1")}`, '{"Authorization":"Bearer secret"}']);
  });

  test("goes by the digest when both are given", async () => {
    registry.manifests.set(digest("d"), image("d"));
    await run({ digest: digest("d") });
    assert.deepEqual(registry.asked, [digest("d")]);
    assert.deepEqual(reports[0]?.artifact.tags, ["1.0"]);
  });

  describe("of an index", () => {
    const entry = (digit: string, architecture: string) => {
      const platform = { os: "linux", architecture, variant: "" };
      return { digest: digest(digit), mediaType: "", isIndex: false, isDoubtful: false, platform };
    };

    beforeEach(() => {
      const entries = [entry("e", "arm64"), entry("f", "amd64")];
      registry.manifests.set("1.0", { kind: "index", digest: digest("9"), mediaType: "", entries });
      registry.manifests.set(digest("e"), image("e"));
      registry.manifests.set(digest("f"), image("f"));
    });

    test("scans the image for linux/amd64 and tells of the index", async () => {
      await run();
      assert.deepEqual(registry.asked, ["1.0", digest("f")]);
      assert.equal(reports[0]?.artifact.indexDigest, digest("9"));
      assert.equal(reports[0]?.artifact.platform?.architecture, "amd64");
    });

    test("scans the image for the platform asked for", async () => {
      await run({ platform: "linux/arm64" });
      assert.equal(reports[0]?.artifact.digest, digest("e"));
    });

    test("that lists no image is skipped", async () => {
      registry.manifests.set("1.0", { kind: "index", digest: digest("9"), mediaType: "", entries: [] });
      await run();
      assert.equal(reports[0]?.coverage, "NOT_AN_IMAGE");
    });
  });

  test("of a single image reports its platform, and refuses another one than was asked for", async () => {
    await run();
    await run({ platform: "linux/arm64/v8" });
    assert.deepEqual(
      reports.map(({ artifact }) => artifact.platform?.architecture),
      ["arm64", "arm64"],
    );
    await assert.rejects(run({ platform: "linux/amd64" }), failsWith("PLATFORM_UNKNOWN"));
    assert.equal(reports.length, 2);
  });

  test("that could not look at the packages never says that there are no vulnerabilities", async () => {
    const bare = { ...found, packages: [], vulnerabilities: [], findings: [] };
    await run({}, { ...scanner, scan: async () => ({ ...bare, warnings: ["it was not asked"] }) });
    const headline = "unsupported: the scanner could read no package of debian:12";
    assert.deepEqual([reports[0]?.coverage, reports[0]?.headline], ["UNSUPPORTED", headline]);
    assert.equal(checkins.at(-1)?.[0], headline);
    assert.equal(log.at(-1), headline);
    assert.ok(log.includes("it was not asked"));
    assert.doesNotMatch(log.join(), /found 0|no vulnerabilities|clean/);
  });

  test("of what is no image succeeds with a report that says so, and asks no scanner", async () => {
    const why = "an attestation";
    registry.manifests.set("1.0", { kind: "other", digest: digest("b"), mediaType: "", note: "not_an_image", why });
    await run({}, { ...scanner, scan: () => Promise.reject(new Error("nobody asks")) });
    assert.equal(reports[0]?.coverage, "NOT_AN_IMAGE");
    assert.equal(checkins.at(-1)?.[0], "skipped: not an image (an attestation)");
  });

  test("ends at once when it is stopped, whatever it waits for", async () => {
    const hanging = {
      ...scanner,
      scan: (_target: unknown, _onLayer: unknown, signal: AbortSignal) =>
        new Promise<ScanResult>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          stop.abort(new Error("stopped"));
        }),
    };
    await assert.rejects(run({}, hanging), /stopped/);
    await assert.rejects(run(), /stopped/);
    assert.deepEqual(reports, []);
  });

  test("is tried again only when that makes sense", () => {
    const { shouldRetry } = createImageScan({ registry, scanner, clock: { now: () => 0 } });
    assert.equal(shouldRetry(new JobFailure("X", "", { retryable: false })), false);
    assert.equal(shouldRetry(new JobFailure("X", "", { retryable: true })), true);
    assert.equal(shouldRetry(new TypeError("a bug")), true);
  });
});
