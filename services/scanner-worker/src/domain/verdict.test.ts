import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ImageManifest, OtherManifest } from "./image-manifest.ts";
import type { CoverageNote, Distribution, Finding, Package, VulnerabilityData } from "./report.ts";
import { summarise } from "./report-summary.ts";
import type { ScanResult } from "./scan-result.ts";
import type { Severity } from "./severity.ts";
import { reachVerdict } from "./verdict.ts";

const image: ImageManifest = { kind: "image", digest: "sha256:m", mediaType: "", configDigest: "", layers: [] };
const other = (note: OtherManifest["note"], why: string): OtherManifest => {
  return { kind: "other", digest: "sha256:m", mediaType: "", note, why };
};
const system = (namespace: string, vulnerabilityData: VulnerabilityData = "PRESENT"): Distribution => {
  return { did: "", versionId: "", namespace, versionFormat: "dpkg", vulnerabilityData };
};
const pack = (name: string, namespace = "debian:12"): Package => {
  return { id: name, name, version: "1", versionFormat: "dpkg", namespace, layerDigest: "", purl: "" };
};
const finding = (packageId: string, vulnerabilityKey: string, severity: Severity = "LOW"): Finding => {
  return { packageId, vulnerabilityKey, severity, fixedVersion: "", status: "AFFECTED", layerDigest: "" };
};
const found: ScanResult = {
  scanner: { kind: "CLAIR_V1", name: "Clair", vendor: "", version: "", engineVersion: 3 },
  distributions: [system("debian:12")],
  packages: [pack("a"), pack("b"), pack("c")],
  vulnerabilities: [],
  findings: [],
  coverageNotes: [],
  layerNames: [],
  skippedLayers: [],
};

const ofTwo = [pack("a", "debian:12"), pack("b", "debian:13")];
const manyNames = ["d", "b", "a", "c", "\u001b[31mZ"];

function judge(own: Partial<ScanResult>, manifest = image) {
  const result = { ...found, ...own };
  return reachVerdict({ manifest, result, summary: summarise(result.findings, result.packages, []) });
}

const claims: [what: string, own: Partial<ScanResult>, coverage: string, notes: CoverageNote[], headline: string][] = [
  ["packages that were held against data", {}, "FULL", [], "no vulnerabilities found in 3 packages (full coverage)"],
  [
    "findings",
    { findings: [finding("a", "1", "HIGH"), finding("a", "2"), finding("b", "3")] },
    "FULL",
    [],
    "3 vulnerabilities in 2 of 3 packages: 1 high, 2 low (full coverage)",
  ],
  [
    "a vulnerability in two packages",
    { findings: [finding("a", "1", "HIGH"), finding("a", "2"), finding("b", "2")] },
    "FULL",
    [],
    "2 vulnerabilities in 2 of 3 packages, 3 findings: 1 high, 2 low (full coverage)",
  ],
  [
    "one vulnerability in two packages, and a layer left out",
    { findings: [finding("a", "1"), finding("b", "1")], coverageNotes: ["unsupported_layer"] },
    "PARTIAL",
    ["unsupported_layer"],
    "1 vulnerability in 2 of 3 packages, 2 findings: 2 low (partial: a layer that the scanner cannot read was left out)",
  ],
  [
    "an operating system without packages",
    { packages: [] },
    "UNSUPPORTED",
    ["no_packages"],
    "unsupported: the scanner could read no package of debian:12",
  ],
  [
    "packages of a distribution without data",
    { distributions: [system("debian:13", "ABSENT")], packages: [pack("a", "debian:13")] },
    "UNSUPPORTED",
    ["no_vulnerability_data"],
    "unsupported: the scanner has no vulnerability data for debian:13",
  ],
  [
    "packages of two distributions, one without data",
    { distributions: [system("debian:12"), system("debian:13", "ABSENT")], packages: ofTwo },
    "PARTIAL",
    ["no_vulnerability_data"],
    "partial: nothing found in 2 packages, but the scanner has no vulnerability data for debian:13",
  ],
  [
    "findings beside a distribution without data",
    {
      distributions: [system("debian:12"), system("debian:13", "ABSENT")],
      packages: ofTwo,
      findings: [finding("a", "1")],
    },
    "PARTIAL",
    ["no_vulnerability_data"],
    "1 vulnerability in 1 of 2 packages: 1 low (partial: the scanner has no vulnerability data for debian:13)",
  ],
  [
    "packages of two distributions, both with data",
    { distributions: [system("debian:12"), system("debian:13")], packages: ofTwo },
    "FULL",
    [],
    "no vulnerabilities found in 2 packages (full coverage)",
  ],
  [
    "two distributions, packages of one",
    { distributions: [system("debian:13"), system("debian:12")] },
    "PARTIAL",
    ["no_packages"],
    "partial: nothing found in 3 packages, but the scanner could read no package of debian:13",
  ],
  [
    "findings beside a distribution without packages",
    { distributions: [system("debian:12"), system("alpine:v3.20")], findings: [finding("a", "1")] },
    "PARTIAL",
    ["no_packages"],
    "1 vulnerability in 1 of 3 packages: 1 low (partial: the scanner could read no package of alpine:v3.20)",
  ],
  [
    "three distributions, packages of one",
    { distributions: ["debian:11", "debian:12", "ubuntu:22.04"].map((name) => system(name)) },
    "PARTIAL",
    ["no_packages"],
    "partial: nothing found in 3 packages, but the scanner could read no package of debian:11, ubuntu:22.04",
  ],
  [
    "packages of one distribution and data for another",
    { distributions: [system("debian:12", "ABSENT"), system("debian:13")] },
    "UNSUPPORTED",
    ["no_packages", "no_vulnerability_data"],
    "unsupported: the scanner could read no package of debian:13; the scanner has no vulnerability data for debian:12",
  ],
  [
    "a distribution with packages of no distribution alone, such as a language's",
    { packages: [pack("lodash", ""), pack("requests", "")] },
    "UNSUPPORTED",
    ["no_packages", "vulnerability_data_unknown"],
    "unsupported: the scanner could read no package of debian:12; the scanner did not tell whether it has vulnerability data for 2 packages of no distribution",
  ],
  [
    "a language's package beside those of a distribution",
    { packages: [pack("a"), pack("lodash", "npm")] },
    "PARTIAL",
    ["vulnerability_data_unknown"],
    "partial: nothing found in 2 packages, but the scanner did not tell whether it has vulnerability data for 1 package of no distribution",
  ],
  [
    "a language's package beside a distribution whose data is not known",
    { distributions: [system("debian:12", "UNKNOWN")], packages: [pack("a"), pack("lodash", "")] },
    "PARTIAL",
    ["vulnerability_data_unknown"],
    "partial: nothing found in 2 packages, but the scanner did not tell whether it has vulnerability data for debian:12 and 1 package of no distribution",
  ],
  [
    "a package without its version",
    { packages: [pack("a"), { ...pack("b"), version: " " }] },
    "PARTIAL",
    ["version_unknown"],
    "partial: nothing found in 2 packages, but the scanner read no version of 1 package",
  ],
  [
    "packages without their versions alone",
    { packages: [{ ...pack("a"), version: "" }] },
    "UNSUPPORTED",
    ["no_packages", "version_unknown"],
    "unsupported: the scanner could read no package of debian:12; the scanner read no version of 1 package",
  ],
  [
    "a distribution that is listed twice",
    { distributions: [system("debian:13"), system("debian:13")], packages: [] },
    "UNSUPPORTED",
    ["no_packages"],
    "unsupported: the scanner could read no package of debian:13",
  ],
  [
    "data that the scanner did not tell of",
    { distributions: [system("debian:12", "UNKNOWN")] },
    "PARTIAL",
    ["vulnerability_data_unknown"],
    "partial: nothing found in 3 packages, but the scanner did not tell whether it has vulnerability data for debian:12",
  ],
  [
    "no operating system",
    { distributions: [], packages: [] },
    "UNSUPPORTED",
    ["os_unknown"],
    "unsupported: the scanner knows no operating system in the image",
  ],
  [
    "packages of no operating system",
    { distributions: [] },
    "UNSUPPORTED",
    ["os_unknown"],
    "unsupported: the scanner knows no operating system in the image",
  ],
  [
    "findings in packages of no operating system",
    { distributions: [], findings: [finding("a", "1")] },
    "PARTIAL",
    ["os_unknown"],
    "1 vulnerability in 1 of 3 packages: 1 low (partial: the scanner knows no operating system in the image)",
  ],
  [
    "a layer that was left out",
    { coverageNotes: ["foreign_layer_skipped"] },
    "PARTIAL",
    ["foreign_layer_skipped"],
    "partial: nothing found in 3 packages, but a non-distributable layer was left out",
  ],
  [
    "a layer that can't be read and an operating system in others",
    { coverageNotes: ["unsupported_layer"], findings: [finding("a", "1")] },
    "PARTIAL",
    ["unsupported_layer"],
    "1 vulnerability in 1 of 3 packages: 1 low (partial: a layer that the scanner cannot read was left out)",
  ],
  [
    "layers that can't be read alone",
    { coverageNotes: ["unsupported_layer"], distributions: [], packages: [] },
    "UNSUPPORTED",
    ["unsupported_layer"],
    "unsupported: a layer that the scanner cannot read was left out",
  ],
  [
    "more distributions than a line has room for",
    {
      distributions: manyNames.map((name) => system(name, "ABSENT")),
      packages: manyNames.map((name) => pack(name, name)),
    },
    "UNSUPPORTED",
    ["no_vulnerability_data"],
    "unsupported: the scanner has no vulnerability data for Z, a, b and 2 more",
  ],
];

describe("what a report claims of", () => {
  for (const [what, own, coverage, notes, headline] of claims) {
    test(`${what} is ${coverage}: ${headline}`, () => {
      assert.deepEqual(judge(own), { coverage, coverageNotes: notes, headline });
    });
  }

  test("an image whose configuration is not one of an image is PARTIAL at most", () => {
    const strange: ImageManifest = { ...image, coverageNotes: ["config_unknown"] };
    const headline = "partial: nothing found in 3 packages, but its configuration's type is not an image's";
    assert.deepEqual(judge({}, strange), { coverage: "PARTIAL", coverageNotes: ["config_unknown"], headline });
    const unread: Partial<ScanResult> = { coverageNotes: ["unsupported_layer"], distributions: [], packages: [] };
    const notes = ["config_unknown", "unsupported_layer"];
    const { coverage, coverageNotes } = judge(unread, strange);
    assert.deepEqual([coverage, coverageNotes], ["UNSUPPORTED", notes]);
  });

  test("what is no image, and of a manifest that is not scanned, is what it is", () => {
    const summary = summarise([], [], []);
    const chart = reachVerdict({ manifest: other("not_an_image", "a chart"), result: undefined, summary });
    assert.deepEqual([chart.coverage, chart.coverageNotes], ["NOT_AN_IMAGE", ["not_an_image"]]);
    assert.equal(chart.headline, "skipped: not an image (a chart)");
    const old = reachVerdict({ manifest: other("unsupported_manifest", "schema 1"), result: undefined, summary });
    assert.deepEqual([old.coverage, old.coverageNotes], ["UNSUPPORTED", ["unsupported_manifest"]]);
    assert.equal(old.headline, "unsupported: a manifest that is not scanned (schema 1)");
  });

  test("any result is FULL, and free of vulnerabilities, only with systems, packages, data and all layers", () => {
    const data = fc.constantFrom<VulnerabilityData>("PRESENT", "ABSENT", "UNKNOWN");
    const namespace = fc.constantFrom("debian:12", "debian:13", "");
    const results = fc.record({
      distributions: fc.array(fc.tuple(namespace, data).map(([name, has]) => system(name, has))),
      packages: fc.array(namespace.map((name) => pack("a", name))),
      findings: fc.array(fc.constant(finding("a", "1")), { maxLength: 2 }),
      coverageNotes: fc.subarray<CoverageNote>(["foreign_layer_skipped", "unsupported_layer"]),
    });
    fc.assert(
      fc.property(results, (own) => {
        const { coverage, coverageNotes, headline } = judge(own);
        const hasPackage = (name: string) => own.packages.some(({ namespace }) => namespace === name);
        const isListed = (name: string) => own.distributions.some(({ namespace }) => namespace === name);
        const isWhole =
          own.distributions.length > 0 &&
          own.distributions.every(({ vulnerabilityData }) => vulnerabilityData === "PRESENT") &&
          own.distributions.every(({ namespace }) => hasPackage(namespace)) &&
          own.packages.every(({ namespace }) => isListed(namespace)) &&
          own.coverageNotes.length === 0;
        assert.equal(coverage === "FULL", isWhole);
        assert.equal(coverage === "FULL", coverageNotes.length === 0);
        const isClean = isWhole && own.findings.length === 0;
        assert.equal(/clean|no vulnerabilities/i.test(headline), isClean, headline);
        assert.equal(/\b1 vulnerability|\d vulnerabilities/.test(headline), own.findings.length > 0, headline);
      }),
    );
  });
});
