import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { unpackReport, unpackUnchecked } from "@drydock/job-controller/grpc/report-codec.ts";
import { encodeReport } from "@drydock/scanner-worker/controller/report-codec.ts";
import type { ImageManifest } from "@drydock/scanner-worker/domain/image-manifest.ts";
import { buildReport } from "@drydock/scanner-worker/domain/report-builder.ts";
import { parseLayer } from "@drydock/scanner-worker/scanners/clair-v1/parse.ts";

const manifest: ImageManifest = {
  ...{ kind: "image", digest: "sha256:m", mediaType: "image", configDigest: "sha256:c" },
  layers: [{ digest: "sha256:1", mediaType: "tar", sizeBytes: 100, format: "tar+gzip" }],
};
const subject = {
  ...{ jobId: "job", registryUrl: "http://registry", repository: "library/web", manifest, tags: ["1.0"] },
  ...{ platform: undefined, indexDigest: "", scanStartedAt: new Date(0), generatedAt: new Date(1) },
};

/** The report that a controller stores and gives back when Clair says that of a vulnerability. */
async function reportWith(metadata: unknown, description = "bad") {
  const vulnerability = {
    Name: "CVE-1",
    NamespaceName: "debian:12",
    Severity: "High",
    Description: description,
    Metadata: metadata,
  };
  const feature = { Name: "openssl", NamespaceName: "debian:12", Version: "3.0", Vulnerabilities: [vulnerability] };
  const found = parseLayer({ Layer: { NamespaceName: "debian:12", Features: [feature] } }, new Map());
  const distributions = found.distributions.map((known) => ({ ...known, vulnerabilityData: "PRESENT" as const }));
  const report = buildReport(subject, {
    ...found,
    distributions,
    coverageNotes: [],
    layerNames: ["1"],
    skippedLayers: [],
  });
  const gzip = Buffer.from((await encodeReport(report)).gzip);
  for await (const part of unpackUnchecked(gzip)) assert.ok(part.length > 0);
  return (await unpackReport(piecesOf(gzip)))?.report;
}

async function* piecesOf(gzip: Buffer) {
  yield gzip;
}

function nested(levels: number, text: string): unknown {
  return JSON.parse(`${text.repeat(levels)}1${(text === "[" ? "]" : "}").repeat(levels)}`);
}

describe("what Clair says in its Metadata", () => {
  const odd: Record<string, unknown> = {
    "objects 40 deep": nested(40, '{"in":'),
    "lists 40 deep": nested(40, "["),
    "objects 2,000 deep": nested(2_000, '{"in":'),
    "100,000 names": Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`name-${at}`, at])),
    "a text of 2 MB": "x".repeat(2_000_000),
    "100,000 numbers": Array.from({ length: 100_000 }, (_, at) => at),
    "a number that is infinite": JSON.parse("1e999"),
  };
  for (const [name, value] of Object.entries(odd)) {
    test(`is left out when it is ${name}, and the scan is kept`, async () => {
      const report = await reportWith({ Odd: value, Vendor: { Note: "x" } });
      assert.deepEqual(
        report?.findings.map(({ vulnerabilityKey }) => vulnerabilityKey),
        ["debian:12/CVE-1"],
      );
      assert.deepEqual(report?.vulnerabilities[0]?.extensions, { Vendor: { Note: "x" } });
    });
  }

  test("may be anything: what is no object is as if it were not there", async () => {
    for (const value of [null, [], "text", 7, nested(40, "[")]) {
      const report = await reportWith(value);
      assert.equal(report?.findings.length, 1);
      assert.equal(report?.vulnerabilities[0]?.extensions, undefined);
    }
  });

  test("does not cost the scan when the description is as large as an answer", async () => {
    const report = await reportWith({}, "é".repeat(3_000_000));
    assert.equal(report?.findings.length, 1);
    assert.equal(report?.vulnerabilities[0]?.description.length, 32_768);
  });
});
