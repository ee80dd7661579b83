import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobFailure } from "../../domain/job-failure.ts";
import { readJson } from "./client.ts";
import { parseLayer } from "./parse.ts";

const vulnerability = {
  Name: "CVE-2024-0001",
  NamespaceName: "debian:12",
  Description: "bad",
  Link: "https://example.com/CVE-2024-0001",
  Severity: "Defcon1",
  FixedBy: "3.0.11-1",
  Metadata: {
    NVD: {
      CVSSv2: { PublishedDateTime: "2024-01-02T03:04Z", Vectors: "AV:N/AC:L/Au:N/C:P/I:P", Score: 7.5 },
      CVSSv3: { Vectors: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5, ExploitabilityScore: 3.9 },
    },
    Vendor: { Note: "x" },
  },
};
const openssl = {
  Name: "openssl",
  NamespaceName: "debian:12",
  VersionFormat: "dpkg",
  Version: "3.0.9-1",
  AddedBy: "top",
  Vulnerabilities: [vulnerability],
};
const parse = (layer: object) => parseLayer({ Layer: layer }, new Map([["top", "sha256:t"]]));

describe("Clair's answer", () => {
  test("becomes packages, vulnerabilities and findings", () => {
    const found = parse({ NamespaceName: "debian:12", IndexedByVersion: 3, Features: [openssl] });
    assert.deepEqual(found.distributions, [
      { did: "debian", versionId: "12", namespace: "debian:12", versionFormat: "dpkg" },
    ]);
    assert.deepEqual(found.packages, [
      {
        id: "debian:12/openssl@3.0.9-1",
        name: "openssl",
        version: "3.0.9-1",
        versionFormat: "dpkg",
        namespace: "debian:12",
        layerDigest: "sha256:t",
        purl: "pkg:deb/debian/openssl@3.0.9-1?arch=source&distro=debian-12",
      },
    ]);
    assert.deepEqual(found.findings, [
      {
        packageId: "debian:12/openssl@3.0.9-1",
        vulnerabilityKey: "debian:12/CVE-2024-0001",
        severity: "CRITICAL",
        fixedVersion: "3.0.11-1",
        status: "FIXED_AVAILABLE",
        layerDigest: "sha256:t",
      },
    ]);
    assert.equal(found.scanner.engineVersion, 3);
  });

  test("keeps the source's word, both scores and what it does not know", () => {
    const [vulnerability] = parse({ Features: [openssl] }).vulnerabilities;
    assert.equal(vulnerability?.sourceSeverity, "Defcon1");
    assert.deepEqual(vulnerability?.extensions, { Vendor: { Note: "x" } });
    assert.deepEqual(vulnerability?.cvss, [
      { version: "2.0", score: 7.5, vector: "AV:N/AC:L/Au:N/C:P/I:P", source: "nvd" },
      { version: "3.1", score: 7.5, vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", source: "nvd" },
    ]);
  });

  test("has one vulnerability for two packages, and two findings", () => {
    const found = parse({
      Features: [openssl, { ...openssl, Name: "other", Vulnerabilities: [{ ...vulnerability, FixedBy: "None" }] }],
    });
    assert.equal(found.vulnerabilities.length, 1);
    assert.deepEqual(
      found.findings.map(({ status, fixedVersion }) => [status, fixedVersion]),
      [
        ["FIXED_AVAILABLE", "3.0.11-1"],
        ["AFFECTED", ""],
      ],
    );
  });

  test("without an operating system has no distribution", () => {
    const found = parse({ Name: "n", IndexedByVersion: 3 });
    assert.deepEqual([found.distributions, found.packages, found.findings], [[], [], []]);
  });

  test("may leave out or null whatever it likes, and have scores that are none", () => {
    const bare = {
      Name: "x",
      Vulnerabilities: [{ Name: "CVE-1", Metadata: { NVD: { CVSSv3: { Score: 0, Vectors: "" } } } }],
    };
    const found = parse({ NamespaceName: null, Features: [bare, { Name: "y", Vulnerabilities: null }] });
    assert.equal(found.packages.length, 2);
    assert.deepEqual(found.vulnerabilities[0]?.cvss, []);
    assert.equal(found.vulnerabilities[0]?.severity, "UNKNOWN");
    const odd = { Name: "x", Vulnerabilities: [{ Name: "CVE-1", Metadata: { NVD: { CVSSv2: { Score: 99 } } } }] };
    assert.deepEqual(parse({ Features: [odd] }).vulnerabilities[0]?.cvss, []);
  });

  test("that is something else fails and says where, not what", () => {
    const body = { Layer: { Features: [{ Name: 7, Headers: "Bearer secret" }] } };
    assert.throws(
      () => parseLayer(body, new Map()),
      (thrown) =>
        thrown instanceof JobFailure &&
        /Layer\.Features\.0\.Name/.test(thrown.message) &&
        !/secret/.test(thrown.message),
    );
  });
});

describe("an answer that is made to hold up the worker", () => {
  const answerOf = (features: string) => Buffer.from(`{"Layer":{"Features":[${features}]}}`);
  const listOf = (entry: string, count: number) => Array(count).fill(entry).join(",");
  const read = (body: Buffer) => parseLayer(readJson(body), new Map());

  test("is refused at its first entry that is none, however many there are", () => {
    for (const entry of ["null", "1e309", '""']) {
      const begun = performance.now();
      assert.throws(() => read(answerOf(listOf(entry, 70_000))), /is not understood at Layer\.Features\.0$/);
      const vulnerabilities = `{"Name":"p","Vulnerabilities":[${listOf(entry, 70_000)}]}`;
      assert.throws(() => read(answerOf(vulnerabilities)), /at Layer\.Features\.0\.Vulnerabilities\.0$/);
      assert.ok(performance.now() - begun < 3_000);
    }
  });

  test("is refused unread when it has more in it than is read, for good, with what to do", () => {
    for (const body of [
      answerOf(listOf("0", 4_000_000)),
      answerOf(listOf("{}", 400_000)),
      answerOf(listOf('{"Name":"p"}', 70_001)),
      answerOf(`{"Name":"p","Vulnerabilities":[${listOf('{"Name":"c"}', 70_001)}]}`),
      Buffer.from("[".repeat(1e6)),
    ])
      assert.throws(() => read(body), {
        reason: "SCANNER_ANSWER_TOO_LARGE",
        retryable: false,
        message:
          /^Clair's answer has (more than )?\d+ [a-z ]+, and .* at most 70000 findings in 70000 packages .*; scan the images that it was built from/,
      });
  });

  test("is no answer of 60,000 findings with scores in 10,000 packages", () => {
    const entry = JSON.stringify({ ...vulnerability, Metadata: { NVD: vulnerability.Metadata.NVD } });
    const found = `{"Name":"p","Version":"1","NamespaceName":"d","VersionFormat":"dpkg","AddedBy":"","Vulnerabilities":[`;
    const { findings } = read(answerOf(listOf(`${found}${listOf(entry, 6)}]}`, 10_000)));
    assert.equal(findings.length, 60_000);
  });

  test("is read as it is with odd numbers, keys that come twice and half characters", () => {
    const body = '{"Layer":{"IndexedByVersion":1e309,"Features":[],"__proto__":{},"Features":[{"Name":"\\ud800"}]}}';
    const { packages, scanner } = read(Buffer.from(body));
    assert.deepEqual([packages.length, scanner.engineVersion], [1, 0]);
    assert.equal(parse({ IndexedByVersion: 2 ** 40 }).scanner.engineVersion, 0);
  });
});
