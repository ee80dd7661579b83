import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { digestOf, type PolicyApi, type PolicyRig, reportOf, startPolicyRig } from "../support/policy-rig.ts";
import { refusalOf } from "../support/refusal.ts";

const { SEVERITY_HIGH } = Severity;
const web = { repository: "library/web" };

describe("an OpenVEX document", () => {
  let rig: PolicyRig;
  let api: PolicyApi;
  before(async () => {
    rig = await startPolicyRig();
    api = rig.policies;
    await rig.store(reportOf(1));
  });
  after(() => rig.stop());

  const document = (...statements: object[]) => ({
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex/1",
    author: "Example Security",
    timestamp: "2026-11-30T12:00:00Z",
    version: 1,
    statements,
  });
  const notAffected = {
    vulnerability: { name: "CVE-2014-6271" },
    products: [
      {
        "@id": `pkg:oci/web@${encodeURIComponent(digestOf(1))}`,
        subcomponents: [{ "@id": "pkg:deb/debian/bash@1.0" }],
      },
    ],
    status: "not_affected",
    justification: "vulnerable_code_not_in_execute_path",
  };
  const fixed = {
    vulnerability: { name: "GHSA-0000", aliases: ["CVE-2014-0160"] },
    products: [{ "@id": "pkg:oci/web?repository_url=registry.example/library/web&tag=1" }],
    status: "fixed",
  };

  test("makes exceptions that hold, and the same again makes none", async () => {
    await api.put({ name: "production", rules: { failOn: SEVERITY_HIGH } });
    const first = await api.importVex(document(notAffected, fixed));
    assert.deepEqual([first.exceptionCount, first.knownCount, first.skipped], [2, 0, []]);
    const scopes = first.exceptions.map(({ vulnerability, package: name, version, digest, reason, createdBy }) => [
      vulnerability,
      name,
      version,
      digest,
      reason,
      createdBy,
    ]);
    assert.deepEqual(scopes.sort(), [
      ["CVE-2014-0160", "", "", digestOf(1), "fixed", "Example Security"],
      [
        "CVE-2014-6271",
        "bash",
        "1.0",
        digestOf(1),
        "not_affected: vulnerable_code_not_in_execute_path",
        "Example Security",
      ],
    ]);
    assert.equal((await api.check({ ...web, digest: digestOf(1) })).allowed, true);
    const again = await api.importVex(document(notAffected, fixed));
    assert.deepEqual([again.exceptionCount, again.knownCount], [0, 2]);
    const { skipped } = await api.importVex(document({ ...notAffected, status: "affected" }));
    const { id = "" } = first.exceptions.find(({ vulnerability }) => vulnerability === "CVE-2014-6271") ?? {};
    assert.match(
      skipped[0] ?? "",
      new RegExp(`says affected, but exception ${id} of before passes it over: delete that`),
    );
  });

  test("says what makes no exception", async () => {
    const affected = { ...notAffected, vulnerability: "CVE-2020-0001", status: "affected", action_statement: "update" };
    const unknownTag = { ...fixed, products: ["pkg:oci/web?repository_url=library/web&tag=none"] };
    const everywhere = { ...fixed, products: ["pkg:deb/debian/openssl"] };
    const { exceptionCount, skipped, skippedCount } = await api.importVex(document(affected, unknownTag, everywhere));
    assert.deepEqual([exceptionCount, skippedCount], [0, 3]);
    assert.match(skipped.join("\n"), /says affected/);
    assert.match(skipped.join("\n"), /library\/web:none was not scanned/);
    assert.match(skipped.join("\n"), /says fixed without a version, tag or digest/);
  });

  test("that is none is refused with words", async () => {
    const faults: [document: object | string, words: RegExp][] = [
      ["{", /document must be JSON/],
      [{ statements: [] }, /must be an OpenVEX document .*@context/],
      [document({ ...notAffected, products: 1 }), /statements\.0\.products/],
      [document({ ...notAffected, timestamp: "yesterday" }), /statements\.0\.timestamp/],
      ["[".repeat(500_000), /document must be JSON/],
      [" ".repeat(1024 * 1024 + 1), /must not be larger than 1048576 bytes/],
      [document(...Array(5_001).fill({ vulnerability: "CVE-1", status: "fixed" })), /statements: /],
      [
        document({ ...fixed, products: Array(5_001).fill("p"), vulnerability: { name: "CVE-1", aliases: ["CVE-2"] } }),
        /times the names of vulnerabilities/,
      ],
      [document({ ...notAffected, products: Array(10_001).fill("p") }), /at most 10000 products/],
      [
        document({ ...notAffected, products: Array.from({ length: 5_001 }, (_, at) => digestOf(at)) }),
        /would make 5001 exceptions/,
      ],
    ];
    for (const [text, words] of faults) assert.match((await refusalOf(api.importVex(text))).message, words);
  });

  test("that names more than 1,000 images by tag finds each of them", async () => {
    const products = (from: number, count: number) =>
      Array.from({ length: count }, (_, at) => ({
        "@id": `pkg:oci/web?repository_url=r.example/library/web&tag=${from + at}`,
      }));
    const { exceptionCount, skipped } = await api.importVex(
      document({
        ...fixed,
        vulnerability: { name: "CVE-2030-1" },
        products: [...products(1_000, 1_200), ...products(1, 1)],
      }),
    );
    assert.deepEqual([exceptionCount, skipped.every((text) => /was not scanned/.test(text))], [1, true]);
  });
});
