import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import type { Report } from "../domain/report.ts";
import { buildReport } from "../domain/report-builder.ts";
import type { ScanResult } from "../domain/scan-result.ts";
import type { Scanner } from "../ports/scanner.ts";
import { FakeJobContext } from "./fake-job-context.ts";
import { createImageRematch, type ImageRematchParameters } from "./image-rematch.ts";
import { digest, failsWith, image, other } from "./test-kit.ts";

const layer = { digest: digest("1"), mediaType: "", sizeBytes: 5, format: "tar+gzip" } as const;
const debian = { did: "debian", versionId: "12", namespace: "debian:12", versionFormat: "dpkg" };
const pack = {
  id: "p",
  name: "p",
  version: "1",
  versionFormat: "dpkg",
  namespace: "debian:12",
  layerDigest: "",
  purl: "",
};
const clean: ScanResult = {
  scanner: { kind: "CLAIR_V1", name: "Clair", vendor: "", version: "", engineVersion: 3 },
  distributions: [{ ...debian, vulnerabilityData: "PRESENT" }],
  packages: [pack],
  ...{ vulnerabilities: [], findings: [], coverageNotes: [], layerNames: ["a"], skippedLayers: [] },
};
const found: ScanResult = {
  ...clean,
  vulnerabilities: [
    {
      key: "k",
      name: "CVE-1",
      namespace: "",
      description: "",
      links: [],
      cvss: [],
      extensions: {},
      severity: "HIGH",
      sourceSeverity: "High",
    },
  ],
  findings: [
    { packageId: "p", vulnerabilityKey: "k", severity: "HIGH", fixedVersion: "", status: "AFFECTED", layerDigest: "" },
  ],
};

describe("IMAGE_REMATCH", () => {
  let context: FakeJobContext;
  let stored: Report;
  let answer: ScanResult | undefined;

  beforeEach(() => {
    context = new FakeJobContext();
    const manifest = { ...image("a"), layers: [layer] };
    const platform = { os: "linux", architecture: "arm64", variant: "" };
    const subject = { jobId: "job-0", registryUrl: "http://r", repository: "web", tags: ["1.0"], platform, manifest };
    const times = { scanStartedAt: new Date(1), generatedAt: new Date(2) };
    stored = buildReport({ ...subject, ...times, indexDigest: digest("9"), policy: { failOn: "HIGH" } }, clean);
    context.stored.set(digest("a"), stored);
    answer = found;
  });

  const scanner: Scanner = {
    name: "clair-v1",
    probe: async () => undefined,
    scan: () => Promise.reject(new Error("nothing is scanned")),
    rematch: async () => answer,
  };
  const run = (parameters: ImageRematchParameters = { digest: digest("a") }) =>
    createImageRematch({ scanner, clock: { now: () => 5_000 } }).run(context, parameters);

  test("stores a new report of the same artifact with what the scanner finds now", async () => {
    await run();
    const [report] = context.reports;
    assert.deepEqual(report?.artifact, stored.artifact);
    assert.deepEqual(report?.layers, stored.layers);
    assert.deepEqual([report?.reportId, report?.policy?.failOn, report?.findings.length], ["job-1", "HIGH", 1]);
    assert.equal(report?.generatedAt.getTime(), 5_000);
    const text = `${report?.headline}; before: ${stored.headline}`;
    assert.match(text, /^1 vulnerability .*; before: no vulnerabilities found/);
    assert.deepEqual(context.checkins.at(-1), { text, progress: { phase: "done", percent: 100 } });
  });

  test("launches a scan, once for all who ask, when the scanner does not know the layers any more", async () => {
    answer = undefined;
    await run();
    const [request = assert.fail()] = context.launched;
    assert.deepEqual([request.name, request.isUnique, request.uniqueKey], ["IMAGE_SCAN", true, `scan:${digest("a")}`]);
    const { policy, ...rest } = request.parameters;
    assert.deepEqual(rest, { repository: "web", digest: digest("9"), tags: ["1.0"], platforms: ["linux/arm64"] });
    assert.equal((policy as { fail_on: string }).fail_on, "HIGH");
    assert.match(context.checkins.at(-1)?.text ?? "", /does not know .* job sub-0 scans it instead/);
    assert.deepEqual(context.reports, []);
  });

  test("takes the policy that it is given in place of the one before, also when it launches a scan", async () => {
    const policy = { fail_on: "low" } as const;
    await run({ digest: digest("a"), policy });
    assert.equal(context.reports[0]?.policy?.failOn, "LOW");
    answer = undefined;
    await run({ digest: digest("a"), policy });
    const [request = assert.fail()] = context.launched;
    assert.equal((request.parameters.policy as { fail_on: string }).fail_on, "LOW");
  });

  test("keeps the limits of the report before unless it is given others, also when it launches a scan", async () => {
    context.stored.set(digest("a"), { ...stored, limits: { leastSeverity: "CRITICAL" } });
    await run();
    await run({ digest: digest("a"), report: {} });
    const [limited, whole] = context.reports;
    assert.deepEqual([limited?.findings.length, limited?.leftOut], [0, [{ severity: "HIGH", count: 1 }]]);
    assert.deepEqual([whole?.findings.length, whole?.limits], [1, undefined]);
    answer = undefined;
    await run();
    assert.deepEqual(context.launched[0]?.parameters.report, { least_severity: "CRITICAL", findings: undefined });
  });

  test("has nothing to do for what is no image", async () => {
    const times = { scanStartedAt: new Date(1), generatedAt: new Date(2) };
    const subject = { jobId: "j", registryUrl: "", repository: "web", tags: [], platform: undefined, indexDigest: "" };
    context.stored.set(digest("f"), buildReport({ ...subject, ...times, manifest: other("f") }, undefined));
    await run({ digest: digest("f") });
    assert.deepEqual([context.reports, context.launched], [[], []]);
    assert.equal(context.checkins.at(-1)?.text, "nothing to match: skipped: not an image (an artifact)");
  });

  test("fails for an image without a report", async () => {
    await assert.rejects(run({ digest: digest("b") }), failsWith("REPORT_NOT_FOUND"));
  });

  test("is tried again only when that makes sense", () => {
    const { shouldRetry } = createImageRematch({ scanner, clock: { now: () => 0 } });
    assert.deepEqual(
      [false, true].map((retryable) => shouldRetry(new JobFailure("X", "", { retryable }))),
      [false, true],
    );
  });
});
