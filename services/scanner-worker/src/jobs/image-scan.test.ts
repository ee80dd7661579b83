import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Manifest } from "../domain/image-manifest.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { ScanResult } from "../domain/scan-result.ts";
import type { Scanner } from "../ports/scanner.ts";
import { FakeJobContext } from "./fake-job-context.ts";
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
  let context: FakeJobContext;

  beforeEach(() => {
    registry = new FakeRegistry();
    registry.manifests.set("1.0", image("a"));
    context = new FakeJobContext();
    scanner = {
      name: "clair-v1",
      probe: async () => {},
      scan: async (_target, onLayer) => {
        for (const done of [0, 1, 0, 1, 2]) onLayer(done);
        return found;
      },
    };
  });

  function run(parameters: Partial<ImageScanParameters> = {}, withScanner: Scanner = scanner): Promise<void> {
    const job = createImageScan({
      registry,
      scanner: withScanner,
      clock: { now: () => 5_000 },
    });
    return job.run(context, { repository: "library/web", tag: "1.0", ...parameters });
  }

  const failsWith = (reason: string) => (thrown: unknown) => thrown instanceof JobFailure && thrown.reason === reason;

  test("stores a report of what the tag stands for", async () => {
    await run();
    const [report] = context.reports;
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
    const phases = context.checkins.map(({ progress }) => progress?.phase ?? "");
    assert.deepEqual([...new Set(phases)], ["resolve", "token", "index", "match", "report", "done"]);
    const percents = context.checkins.map(({ progress }) => progress?.percent ?? -1);
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    );
    assert.deepEqual(context.checkins.at(-1), {
      text: "1 vulnerability in 1 of 1 package: 1 high (full coverage)",
      progress: { phase: "done", percent: 100 },
    });
  });

  test("writes what it does into the log, without secrets", async () => {
    await run({ job_int_id: 7 });
    assert.ok(context.lines.some((line) => line.includes(digest("a"))));
    assert.ok(context.lines.some((line) => /number 7/.test(line)));
    assert.ok(!context.lines.join("\n").includes("secret"));
  });

  test("hands the scanner what it needs to fetch the layers, and to lock them", async () => {
    const urls: string[] = [];
    await run(
      {},
      {
        ...scanner,
        scan: async (target) => {
          urls.push(target.blobUrl(digest("1")), JSON.stringify(await target.blobHeaders(context.signal)));
          await target.withLayerLock({ scanner: "clair", layer: "a" }, async () => void urls.push("locked"));
          return found;
        },
      },
    );
    const url = `http://seen-by-scanner/library/web/${digest("1")}`;
    assert.deepEqual(urls, [url, '{"Authorization":"Bearer secret"}', "locked"]);
    assert.deepEqual(context.locked, [{ scanner: "clair", layer: "a" }]);
  });

  test("goes by the digest when both are given", async () => {
    registry.manifests.set(digest("d"), image("d"));
    await run({ digest: digest("d") });
    assert.deepEqual(registry.asked, [digest("d")]);
    assert.deepEqual(context.reports[0]?.artifact.tags, ["1.0"]);
  });

  test("names further tags, and the policy of its parameters", async () => {
    registry.manifests.set(digest("a"), image("a"));
    await run({ digest: digest("a"), tags: ["1.0", "latest"], policy: { fail_on: "high", grace_days: 7 } });
    const [report] = context.reports;
    assert.deepEqual(report?.artifact.tags, ["1.0", "latest"]);
    assert.deepEqual([report?.policy?.failOn, report?.policy?.graceDays], ["HIGH", 7]);
  });

  test("keeps as much of the findings as its parameters say", async () => {
    registry.manifests.set(digest("a"), image("a"));
    await run({ digest: digest("a"), report: { least_severity: "high", findings: 9 } });
    await run({ digest: digest("a"), report: {} });
    const [limited, whole] = context.reports;
    assert.deepEqual([limited?.limits, whole?.limits], [{ leastSeverity: "HIGH", findings: 9 }, undefined]);
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
      assert.equal(context.reports[0]?.artifact.indexDigest, digest("9"));
      assert.equal(context.reports[0]?.artifact.platform?.architecture, "amd64");
    });

    test("scans the image for the platform asked for", async () => {
      await run({ platform: "linux/arm64" });
      assert.equal(context.reports[0]?.artifact.digest, digest("e"));
    });

    test("makes a report of each platform asked for, told apart by a number", async () => {
      await run({ platforms: ["all"] });
      assert.deepEqual(
        context.reports.map(({ reportId, artifact }) => [reportId, artifact.digest, artifact.indexDigest]),
        [
          ["job-1", digest("e"), digest("9")],
          ["job-1~1", digest("f"), digest("9")],
        ],
      );
      assert.deepEqual(context.reportNumbers, [0, 1]);
      assert.deepEqual(context.reportPlatforms, [[], ["all"]], "the last tells what was looked for");
      const words = context.reports[0]?.headline;
      const text = `2 platforms: linux/arm64: ${words}; linux/amd64: ${words}`;
      assert.deepEqual(context.checkins.at(-1), { text, progress: { phase: "done", percent: 100 } });
      const percents = context.checkins.map(({ progress }) => progress?.percent ?? -1);
      assert.deepEqual(
        percents,
        percents.toSorted((a, b) => a - b),
      );
    });

    test("tells what it left out, with the reason, and scans the rest", async () => {
      const attestation = { ...entry("b", "unknown"), platform: undefined, isDoubtful: true };
      const entries = [entry("e", "arm64"), attestation];
      registry.manifests.set("1.0", { kind: "index", digest: digest("9"), mediaType: "", entries });
      const other = { kind: "other", digest: digest("b"), mediaType: "", note: "not_an_image" } as const;
      registry.manifests.set(digest("b"), { ...other, why: "an attestation" });
      await run({ platforms: ["all"] });
      assert.deepEqual(context.reports.length, 1);
      assert.match(context.checkins.at(-1)?.text ?? "", /1 high.*; 1 SKIPPED \(an attestation\)$/);
      assert.ok(context.lines.includes(`SKIPPED: ${digest("b")}: an attestation`));
    });

    test("that lists no image is skipped", async () => {
      registry.manifests.set("1.0", { kind: "index", digest: digest("9"), mediaType: "", entries: [] });
      await run();
      assert.equal(context.reports[0]?.coverage, "NOT_AN_IMAGE");
    });
  });

  test("of a single image reports its platform, and refuses another one than was asked for", async () => {
    await run();
    await run({ platform: "linux/arm64/v8" });
    assert.deepEqual(
      context.reports.map(({ artifact }) => artifact.platform?.architecture),
      ["arm64", "arm64"],
    );
    await assert.rejects(run({ platform: "linux/amd64" }), failsWith("PLATFORM_UNKNOWN"));
    assert.equal(context.reports.length, 2);
  });

  test("that could not look at the packages never says that there are no vulnerabilities", async () => {
    const bare = { ...found, packages: [], vulnerabilities: [], findings: [] };
    await run({}, { ...scanner, scan: async () => ({ ...bare, warnings: ["it was not asked"] }) });
    const headline = "unsupported: the scanner could read no package of debian:12";
    assert.deepEqual([context.reports[0]?.coverage, context.reports[0]?.headline], ["UNSUPPORTED", headline]);
    assert.equal(context.checkins.at(-1)?.text, headline);
    assert.equal(context.lines.at(-1), headline);
    assert.ok(context.lines.includes("it was not asked"));
    assert.doesNotMatch(context.lines.join(), /found 0|no vulnerabilities|clean/);
  });

  test("of what is no image succeeds with a report that says so, and asks no scanner", async () => {
    const why = "an attestation";
    registry.manifests.set("1.0", { kind: "other", digest: digest("b"), mediaType: "", note: "not_an_image", why });
    await run({}, { ...scanner, scan: () => Promise.reject(new Error("nobody asks")) });
    assert.equal(context.reports[0]?.coverage, "NOT_AN_IMAGE");
    assert.equal(context.checkins.at(-1)?.text, "skipped: not an image (an attestation)");
  });

  test("ends at once when it is stopped, whatever it waits for", async () => {
    const hanging = {
      ...scanner,
      scan: (_target: unknown, _onLayer: unknown, signal: AbortSignal) =>
        new Promise<ScanResult>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          context.interrupt(new Error("stopped"));
        }),
    };
    await assert.rejects(run({}, hanging), /stopped/);
    await assert.rejects(run(), /stopped/);
    assert.deepEqual(context.reports, []);
  });

  test("is tried again only when that makes sense", () => {
    const { shouldRetry } = createImageScan({ registry, scanner, clock: { now: () => 0 } });
    assert.equal(shouldRetry(new JobFailure("X", "", { retryable: false })), false);
    assert.equal(shouldRetry(new JobFailure("X", "", { retryable: true })), true);
    assert.equal(shouldRetry(new TypeError("a bug")), true);
  });
});
