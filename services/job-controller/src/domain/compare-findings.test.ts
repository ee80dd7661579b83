import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ComparisonFacts, compareHeadline, FindingComparison, leastCoverage } from "./compare-findings.ts";
import { type Coverage, type IndexedFinding, severities } from "./report-entry.ts";

function finding(vulnerability: string, parts: Partial<IndexedFinding> = {}): IndexedFinding {
  return { vulnerability, severity: "HIGH", package: "openssl", version: "3.0", fixedVersion: "", ...parts };
}

function compared(base: IndexedFinding[], head: IndexedFinding[]) {
  const comparison = new FindingComparison();
  comparison.add("base", base, "sha256:1");
  comparison.add("head", head, "sha256:2");
  return comparison.result();
}

const namesOf = (findings: readonly IndexedFinding[]) => findings.map(({ vulnerability }) => vulnerability);

describe("a comparison of findings", () => {
  test("tells new, gone and unchanged ones, with the image that has them", () => {
    const { added, gone, unchanged } = compared([finding("A"), finding("B")], [finding("B"), finding("C")]);
    assert.deepEqual([namesOf(added), namesOf(gone), namesOf(unchanged)], [["C"], ["A"], ["B"]]);
    assert.deepEqual([added[0]?.digest, gone[0]?.digest, unchanged[0]?.digest], ["sha256:2", "sha256:1", "sha256:2"]);
  });

  test("takes another version of the package for the same finding, and tells the newer one", () => {
    const { added, gone, unchanged } = compared(
      [finding("A")],
      [finding("A", { version: "3.1", fixedVersion: "3.2" })],
    );
    assert.deepEqual([added, gone, unchanged[0]?.version, unchanged[0]?.fixedVersion], [[], [], "3.1", "3.2"]);
  });

  test("takes another package for another finding", () => {
    const { added, gone } = compared([finding("A")], [finding("A", { package: "libssl" })]);
    assert.deepEqual([added[0]?.package, gone[0]?.package], ["libssl", "openssl"]);
  });

  test("lists the worst first", () => {
    const { added } = compared(
      [],
      [finding("B", { severity: "LOW" }), finding("C"), finding("A"), finding("D", { severity: "CRITICAL" })],
    );
    assert.deepEqual(namesOf(added), ["D", "A", "C", "B"]);
  });

  const anyFinding = fc
    .record({
      vulnerability: fc.constantFrom("A", "B", "C", "D"),
      package: fc.constantFrom("p", "q"),
      severity: fc.constantFrom(...severities),
    })
    .map(({ vulnerability, ...parts }) => finding(vulnerability, parts));

  test("finds each of both sides in one list, and nothing new or gone in what is the same", () => {
    fc.assert(
      fc.property(fc.array(anyFinding), fc.array(anyFinding), (base, head) => {
        const keys = (findings: readonly IndexedFinding[]) =>
          new Set(findings.map((one) => `${one.vulnerability} ${one.package}`));
        const { added, gone, unchanged } = compared(base, head);
        assert.deepEqual(keys([...added, ...unchanged]), keys(head));
        assert.deepEqual(keys([...gone, ...unchanged]), keys(base));
        assert.equal(added.length + gone.length + unchanged.length, keys([...base, ...head]).size);
        const same = compared(head, head);
        assert.deepEqual([same.added, same.gone], [[], []]);
      }),
    );
  });
});

describe("the headline of a comparison", () => {
  const coverages: (Coverage | undefined)[] = ["FULL", "PARTIAL", "UNSUPPORTED", "NOT_AN_IMAGE", undefined];
  const headlineOf = (parts: Partial<ComparisonFacts>) =>
    compareHeadline({
      ...compared([finding("A")], [finding("B")]),
      baseCoverage: "FULL",
      headCoverage: "FULL",
      ...parts,
    });

  test("tells the counts, the worst of the new ones, and how much was looked at", () => {
    const facts = "base looked at in full, head looked at in full";
    assert.equal(headlineOf({}), `1 new, 1 gone, 0 unchanged; the worst new one is high (${facts})`);
    assert.equal(headlineOf({ added: [], gone: [] }), `0 new, 0 gone, 0 unchanged (${facts})`);
    assert.match(headlineOf({ images: { base: 1, head: 3, added: 2 } }), /; 1 image then, 3 now, 2 of them new\)$/);
  });

  test("says of several images that not all were looked at, not that none was", () => {
    const images = { base: 1, head: 6, added: 5 };
    const headline = headlineOf({ gone: [], baseCoverage: "UNSUPPORTED", headCoverage: "UNSUPPORTED", images });
    assert.match(headline, /, 0 not seen again, 0 unchanged/);
    assert.match(headline, /\(base not looked at, head not all looked at in full; /);
  });

  test("calls nothing gone that was not looked at, and nothing new of which nobody knows", () => {
    for (const baseCoverage of coverages) {
      for (const headCoverage of coverages) {
        const headline = headlineOf({ baseCoverage, headCoverage });
        assert.equal(/\d gone/.test(headline), headCoverage === "FULL", headline);
        assert.equal(/\d new/.test(headline), baseCoverage === "FULL" || baseCoverage === undefined, headline);
      }
    }
  });
});

test("the least coverage of several images is told, and of what is no image only if there is nothing else", () => {
  const cases: Array<[Coverage[], Coverage | undefined]> = [
    [[], undefined],
    [["FULL", "FULL"], "FULL"],
    [["FULL", "PARTIAL"], "PARTIAL"],
    [["PARTIAL", "UNSUPPORTED", "FULL"], "UNSUPPORTED"],
    [["NOT_AN_IMAGE", "FULL"], "FULL"],
    [["NOT_AN_IMAGE"], "NOT_AN_IMAGE"],
  ];
  for (const [coverages, least] of cases) assert.equal(leastCoverage(coverages), least, coverages.join());
});
