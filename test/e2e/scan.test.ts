import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { sampleImage } from "@drydock/demo/images/sample-images.ts";
import { Coverage, type Report, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";

interface RecordedLayer {
  Features: Array<{ Name: string; Version: string; Vulnerabilities?: Array<{ Name: string; FixedBy?: string }> }>;
}

const recording = JSON.parse(readFileSync(new URL("../fixtures/clair/v1.json", import.meta.url), "utf8")) as {
  exchanges: Array<{ label: string; response: { body: { Layer: RecordedLayer } } }>;
};

/** What the real Clair found in the image web: package, version, vulnerability, fix. */
function recordedFindings(): string[] {
  const result = recording.exchanges.find(({ label }) => label === "web result") ?? assert.fail();
  return result.response.body.Layer.Features.flatMap(({ Name, Version, Vulnerabilities = [] }) =>
    Vulnerabilities.map((own) => `${Name} ${Version} ${own.Name} ${own.FixedBy ?? ""}`),
  ).sort();
}

function findingsOf({ packages, vulnerabilities, findings }: Report): string[] {
  const packageOf = new Map(packages.map(({ id, name, version }) => [id, `${name} ${version}`]));
  const nameOf = new Map(vulnerabilities.map(({ key, name }) => [key, name]));
  return findings
    .map((finding) => {
      const { packageId, vulnerabilityKey, fixedVersion } = finding;
      return `${packageOf.get(packageId)} ${nameOf.get(vulnerabilityKey)} ${fixedVersion}`;
    })
    .sort();
}

describe("a scan through registry, scanner, controller, worker and Redis", () => {
  let scene: ScanStack;
  before(async () => {
    scene = await startScanStack();
    await Promise.all([scene.startWorker(), scene.startWorker()]);
  });
  after(() => scene.stop());

  /** Scans an image and reads its report. */
  const scan = async (repository: string, tag: string) => {
    const job = await scene.scan(repository, tag);
    assert.equal(job.status, "SUCCESS", job.lastError?.message);
    return { job, report: await scene.api.reportOf(job.id) };
  };

  test("finds in the Debian 12 image exactly what a real Clair found: 90 CVEs on the same packages", async () => {
    const { job, report } = await scan("library/web", "1.0");
    const expected = recordedFindings();
    assert.equal(expected.length, 90);
    assert.deepEqual(findingsOf(report), expected);
    assert.deepEqual([report.coverage, report.summary?.unique], [Coverage.COVERAGE_FULL, 90]);
    assert.match(job.checkIn, /^90 vulnerabilities in 10 of 92 packages/);
    assert.deepEqual([job.progress?.percent, job.attempt], [100, 1]);
  });

  test("knows the well-known vulnerabilities of old images, with their severities and fixes", async () => {
    const { report } = await scan("library/debian", "7");
    assert.deepEqual(findingsOf(report), [
      "bash 4.2+dfsg-0.1 CVE-2014-6271 4.2+dfsg-0.1+deb7u1",
      "openssl 1.0.1e-2+deb7u4 CVE-2014-0160 1.0.1e-2+deb7u5",
    ]);
    assert.equal(report.summary?.maxSeverity, Severity.SEVERITY_CRITICAL);
  });

  test("reads an OCI manifest and Alpine's packages", async () => {
    const { report } = await scan("library/alpine", "3.15");
    assert.equal(report.artifact?.mediaType, "application/vnd.oci.image.manifest.v1+json");
    assert.deepEqual(findingsOf(report), [
      "busybox 1.34.1-r4 CVE-2022-28391 1.34.1-r5",
      "zlib 1.2.12-r1 CVE-2022-37434 1.2.12-r2",
    ]);
  });

  test("tells a clean image from one that the scanner knows nothing about", async () => {
    const clean = (await scan("library/clean", "1.0")).report;
    assert.deepEqual([clean.coverage, clean.findings.length], [Coverage.COVERAGE_FULL, 0]);
    assert.equal(clean.summary?.maxSeverity, Severity.SEVERITY_UNSPECIFIED);
    const scratch = (await scan("library/scratch", "1.0")).report;
    assert.deepEqual([scratch.coverage, scratch.coverageNotes], [Coverage.COVERAGE_UNSUPPORTED, ["os_unknown"]]);
  });

  for (const [what, repository, tag, note] of [
    ["packages that the scanner can't read", "library/distroless", "12", "no_packages"],
    ["a distribution that the scanner has no data for", "library/debian", "13", "no_vulnerability_data"],
  ] as const) {
    test(`of ${what} is nowhere called clean`, async () => {
      const { job, report } = await scan(repository, tag);
      assert.deepEqual([report.coverage, report.coverageNotes], [Coverage.COVERAGE_UNSUPPORTED, [note]]);
      assert.deepEqual([report.findings, report.headline], [[], job.checkIn]);
      const log = await scene.api.log(job.id);
      assert.ok(log.includes(report.headline));
      assert.doesNotMatch(log + job.checkIn, /clean|no vulnerabilities|\b0 vulnerabilities/i);
    });
  }

  test("takes the image for linux/amd64 from an index, and tells the platform of a single image too", async () => {
    for (const repository of ["library/multi", "library/multi-bare"]) {
      const { report } = await scan(repository, "1.0");
      assert.deepEqual(findingsOf(report), ["sudo 1.8.27-1+deb10u2 CVE-2021-3156 1.8.27-1+deb10u3"]);
      assert.equal(report.artifact?.indexDigest, sampleImage(`${repository}:1.0`).digest);
      assert.equal(report.artifact?.platform?.architecture, "amd64");
    }
    const { report } = await scan("library/debian", "7");
    assert.deepEqual([report.artifact?.platform?.os, report.artifact?.platform?.architecture], ["linux", "amd64"]);
  });

  test("skips what is no image, which is a success and not a clean report", async () => {
    const { job, report } = await scan("charts/web", "1.0.0");
    assert.match(job.checkIn, /skipped/);
    assert.equal(report.coverage, Coverage.COVERAGE_NOT_AN_IMAGE);
  });

  test("leaves a report that is found by the image's digest too", async () => {
    const { job } = await scan("library/debian", "10");
    const { digest } = sampleImage("library/debian:10");
    const report = await scene.api.report({ $case: "digest", value: digest });
    assert.deepEqual([report.reportId, report.artifact?.digest], [job.id, digest]);
  });

  test("leaves a log that tells each step", async () => {
    const { job } = await scan("library/debian", "11");
    const log = await scene.api.log(job.id);
    for (const word of ["resolve:", "token:", "index:", "report:"]) assert.ok(log.includes(word), word);
  });

  test("posts no layer again that the scanner knows", async () => {
    await scan("library/debian", "12");
    const posts: string[] = [];
    scene.hooks.onLayer = async ({ name }) => void posts.push(name);
    await scan("library/debian", "12");
    delete scene.hooks.onLayer;
    assert.deepEqual(posts, []);
  });
});
