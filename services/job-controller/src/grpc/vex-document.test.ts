import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readVexDocument } from "./vex-document.ts";

const digest = `sha256:${"a".repeat(64)}`;

function statementsOf(...statements: object[]) {
  const document = { "@context": "https://openvex.dev/ns/v0.2.0", timestamp: "2026-11-30T12:00:00Z", statements };
  return readVexDocument(JSON.stringify(document)).statements;
}

describe("an OpenVEX document", () => {
  test("names a vulnerability by each of its CVEs, and by its name when it has none", () => {
    const names = [
      { name: "GHSA-1", aliases: ["CVE-2024-1000", "CVE-2024-1000", "DSA-1"] },
      { name: "GHSA-1", aliases: ["DSA-1"] },
      { "@id": "https://nvd.nist.gov/vuln/detail/CVE-2024-1000" },
      "CVE-2024-1000",
      {},
    ];
    const read = statementsOf(...names.map((vulnerability) => ({ vulnerability, status: "fixed" })));
    assert.deepEqual(
      read.map(({ vulnerabilities }) => vulnerabilities),
      [["CVE-2024-1000"], ["GHSA-1"], ["CVE-2024-1000"], ["CVE-2024-1000"], []],
    );
  });

  test("of the first version has subcomponents for all products", () => {
    const subcomponents = ["pkg:deb/debian/bash"];
    const products = [
      digest,
      { "@id": "urn:x", hashes: { "sha-256": "a".repeat(64) }, identifiers: { purl: "pkg:oci/web" } },
    ];
    const [read] = statementsOf({ vulnerability: "CVE-1", status: "fixed", products, subcomponents });
    const part = { identifiers: subcomponents, subcomponents: [] };
    assert.deepEqual(read?.products, [
      { identifiers: [digest], subcomponents: [part] },
      { identifiers: ["urn:x", "pkg:oci/web", digest], subcomponents: [part] },
    ]);
  });

  test("gives a statement the time of its last change, else its own, else the document's", () => {
    const one = { vulnerability: "CVE-1", status: "fixed" };
    const timestamp = "2026-11-29T12:00:00+01:00";
    const read = statementsOf(
      one,
      { ...one, timestamp },
      { ...one, timestamp, last_updated: "2026-12-01T00:00:00.5Z" },
    );
    assert.deepEqual(
      read.map((each) => new Date(each.timestamp).toISOString()),
      ["2026-11-30T12:00:00.000Z", "2026-11-29T11:00:00.000Z", "2026-12-01T00:00:00.500Z"],
    );
  });

  test("full of faults is refused at the first one, and holds nobody up", () => {
    for (const products of [`${"0,".repeat(500_000)}0`, `{"subcomponents":[${"0,".repeat(500_000)}0]}`]) {
      const json = `{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":"CVE-1","status":"fixed","products":[${products}]}]}`;
      const begin = process.threadCpuUsage().user;
      assert.throws(() => readVexDocument(json), { reason: "FIELD_INVALID", message: /statements\.0\.products/ });
      assert.ok(process.threadCpuUsage().user - begin < 500_000);
    }
  });

  test("has texts on one line, with nothing on which a terminal acts", () => {
    const [read] = statementsOf({
      vulnerability: "CVE-1",
      status: "not_affected",
      impact_statement: "a\nb\u001b[31mc ",
    });
    assert.equal(read?.impact, "a bc");
  });
});
