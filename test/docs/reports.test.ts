import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ImageManifest, OtherManifest } from "@drydock/scanner-worker/domain/image-manifest.ts";
import { coverageNotes, type Distribution } from "@drydock/scanner-worker/domain/report.ts";
import { summarise } from "@drydock/scanner-worker/domain/report-summary.ts";
import type { ScanResult } from "@drydock/scanner-worker/domain/scan-result.ts";
import { type Evidence, reachVerdict } from "@drydock/scanner-worker/domain/verdict.ts";
import { root } from "../checks/tracked-files.ts";
import { readPage, tableBelow } from "../support/markdown.ts";

const page = readPage("docs/reports.md");

const image: ImageManifest = { kind: "image", digest: "", mediaType: "", configDigest: "", layers: [] };
const chart: OtherManifest = { kind: "other", digest: "", mediaType: "", note: "not_an_image", why: "a chart" };
const debian: Distribution = {
  did: "debian",
  versionId: "12",
  namespace: "debian:12",
  versionFormat: "dpkg",
  vulnerabilityData: "PRESENT",
};
const packages = Array.from({ length: 63 }, (_, index) => {
  const id = `${index}`;
  return { id, name: id, version: "1", versionFormat: "", namespace: "debian:12", layerDigest: "", purl: "" };
});
const findings = (["HIGH", "LOW"] as const).map((severity) => {
  const finding = { packageId: "0", vulnerabilityKey: severity, fixedVersion: "", layerDigest: "" };
  return { ...finding, severity, status: "AFFECTED" as const };
});
const shared = ["0", "1"].map((packageId) => {
  const finding = { packageId, vulnerabilityKey: "LOW", fixedVersion: "", layerDigest: "" };
  return { ...finding, severity: "LOW" as const, status: "AFFECTED" as const };
});
const clean: ScanResult = {
  scanner: { kind: "CLAIR_V1", name: "", vendor: "", version: "", engineVersion: 0 },
  distributions: [debian],
  packages,
  vulnerabilities: [],
  findings: [],
  coverageNotes: [],
  layerNames: [],
  skippedLayers: [],
};

/** What each row of the page stands for. */
const cases: Record<string, Omit<Evidence, "summary">> = {
  "packages, data, no findings": of({}),
  "packages, data, findings": of({ findings }),
  "one vulnerability in two packages": of({ findings: shared }),
  "a layer left out, no findings": of({ coverageNotes: ["unsupported_layer"] }),
  "a layer left out, findings": of({ coverageNotes: ["unsupported_layer"], findings }),
  "limits that leave the low finding out": { ...of({ findings }), leftOut: [{ severity: "LOW", count: 1 }] },
  "two distributions, packages of one": of({ distributions: [debian, { ...debian, namespace: "debian:13" }] }),
  "layers of a file system, a configuration of a vendor's own type": {
    manifest: { ...image, coverageNotes: ["config_unknown"] },
    result: clean,
  },
  "an operating system and no packages": of({ packages: [] }),
  "packages and no data": of({ distributions: [{ ...debian, vulnerabilityData: "ABSENT" }] }),
  "no operating system": of({ distributions: [], packages: [] }),
  "no image": { manifest: chart, result: undefined },
};

function of(own: Partial<ScanResult>): Pick<Evidence, "manifest" | "result"> {
  return { manifest: image, result: { ...clean, ...own } };
}

describe("docs/reports.md", () => {
  test("shows what is claimed, in the words of the reports", () => {
    const rows = Object.entries(cases).map(([what, evidence]) => {
      const { result } = evidence;
      const summary = summarise(result?.findings ?? [], result?.packages ?? [], []);
      const { coverage, headline } = reachVerdict({ ...evidence, summary });
      return [what, `COVERAGE_${coverage}`, headline];
    });
    assert.deepEqual(tableBelow(page, "What may be called clean"), rows);
  });

  test("explains every coverage note, as the contract names them", () => {
    const documented = tableBelow(page, "Coverage notes").map(([note]) => note);
    assert.deepEqual(documented, [...coverageNotes]);
    const contract = readFileSync(join(root, "proto", "drydock", "report", "v1", "report.proto"), "utf8");
    const [comment = ""] = /\/\/ Why it was not all[\s\S]*?repeated string coverage_notes/.exec(contract) ?? [];
    assert.deepEqual(
      coverageNotes.filter((note) => !comment.includes(note)),
      [],
    );
  });
});
