import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ImagePolicy, PolicyRules } from "./image-policy.ts";
import { exceptionIdOf, indexExceptions, type PolicyException } from "./policy-exception.ts";
import { judge } from "./policy-verdict.ts";
import { type Coverage, severities } from "./report-entry.ts";
import type { JudgedFinding, JudgedImage, LeftOut, Verdict } from "./verdict.ts";

const day = 86_400_000;
const now = 1_000 * day;
const lax: PolicyRules = {
  ...{ failOn: undefined, fixableOnly: false, unknownAs: "IGNORE", graceDays: 0 },
  ...{ failOnKnownExploited: false, failOnEpss: 0, requireFullCoverage: false },
};
const digest = `sha256:${"a".repeat(64)}`;

function policyOf(rules: Partial<PolicyRules>, name = "production"): ImagePolicy {
  return { name, repository: "", rules: { ...lax, ...rules }, updatedAt: 0 };
}

function findingOf(parts: Partial<JudgedFinding> = {}): JudgedFinding {
  return {
    ...{ vulnerability: "CVE-2014-0160", severity: "HIGH", package: "openssl", version: "1.0.1e", fixedVersion: "" },
    ...{ knownExploited: false, epss: 0, firstFoundAt: 0 },
    ...parts,
  };
}

function imageOf(findings: JudgedFinding[], parts: Partial<JudgedImage> = {}): JudgedImage {
  return {
    repository: "library/web",
    digest,
    indexDigest: "",
    coverage: "FULL",
    coverageNotes: [],
    findings,
    leftOut: {},
    ...parts,
  };
}

function exceptionOf(parts: Partial<PolicyException>): PolicyException {
  const scope = { vulnerability: "CVE-2014-0160", package: "", version: "", repository: "", digest: "", ...parts };
  const rest = { reason: "not reachable", createdBy: "security", expiresAt: 0, createdAt: 0 };
  return { ...rest, ...scope, id: exceptionIdOf(scope) };
}

const told = { knownExploited: true, epss: true };

function judged(image: JudgedImage, rules: Partial<PolicyRules>, exceptions: PolicyException[] = []): Verdict {
  return judge(image, { policies: [policyOf(rules)], exceptions: indexExceptions(exceptions), told, now });
}

describe("a policy", () => {
  const cases: [what: string, rules: Partial<PolicyRules>, finding: Partial<JudgedFinding>, broken: string][] = [
    ["fails the least severity that it names", { failOn: "HIGH" }, { severity: "HIGH" }, "fail_on"],
    ["fails what is worse", { failOn: "HIGH" }, { severity: "CRITICAL" }, "fail_on"],
    ["passes over what is less bad", { failOn: "HIGH" }, { severity: "MEDIUM" }, ""],
    ["fails no severity unless it names one", {}, { severity: "CRITICAL" }, ""],
    ["passes over what has no fix if it says so", { failOn: "LOW", fixableOnly: true }, {}, ""],
    ["fails what has one", { failOn: "LOW", fixableOnly: true }, { fixedVersion: "2" }, "fail_on"],
    ["takes unknown for nothing by default", { failOn: "NEGLIGIBLE" }, { severity: "UNKNOWN" }, ""],
    ["takes unknown for low", { failOn: "LOW", unknownAs: "LOW" }, { severity: "UNKNOWN" }, "fail_on"],
    ["takes unknown for no more than low", { failOn: "MEDIUM", unknownAs: "LOW" }, { severity: "UNKNOWN" }, ""],
    ["fails unknown", { unknownAs: "FAIL" }, { severity: "UNKNOWN" }, "unknown_as"],
    ["waits for its days of grace", { failOn: "LOW", graceDays: 7 }, { firstFoundAt: now - 7 * day + 1 }, ""],
    ["fails when these are over", { failOn: "LOW", graceDays: 7 }, { firstFoundAt: now - 7 * day }, "fail_on"],
    [
      "fails what is exploited, however harmless",
      { failOnKnownExploited: true },
      { severity: "NEGLIGIBLE", knownExploited: true },
      "fail_on_known_exploited",
    ],
    ["fails a probability that it names", { failOnEpss: 0.5 }, { epss: 0.5 }, "fail_on_epss"],
    ["passes over a lower one", { failOnEpss: 0.5 }, { epss: 0.49 }, ""],
  ];
  const unkept: [rules: Partial<PolicyRules>, leftOut: LeftOut, broken: string][] = [
    [{ failOn: "HIGH" }, { MEDIUM: 9 }, ""],
    [{ failOn: "HIGH" }, { HIGH: 1, LOW: 9 }, "fail_on"],
    [{ failOn: "HIGH", fixableOnly: true, graceDays: 9 }, { CRITICAL: 1 }, "fail_on"],
    [{ failOn: "UNKNOWN" }, { UNKNOWN: 1 }, ""],
    [{ failOn: "LOW", unknownAs: "LOW" }, { UNKNOWN: 1 }, "fail_on"],
    [{ failOn: "MEDIUM", unknownAs: "LOW" }, { UNKNOWN: 1 }, ""],
    [{ unknownAs: "FAIL" }, { UNKNOWN: 1 }, "unknown_as"],
    [{ unknownAs: "FAIL" }, { LOW: 1 }, ""],
    [{ failOnEpss: 0.1 }, { NEGLIGIBLE: 1 }, "fail_on_epss"],
    [{ failOnKnownExploited: true }, { LOW: 1 }, "fail_on_known_exploited"],
    [{ failOnKnownExploited: true }, {}, ""],
  ];
  for (const [rules, leftOut, broken] of unkept) {
    test(`of ${JSON.stringify(rules)} fails what the report left out only when it may break it: ${JSON.stringify(leftOut)}`, () => {
      const { passes, reasons } = judged(imageOf([], { coverage: "PARTIAL", leftOut }), rules);
      assert.deepEqual([passes, reasons[0]?.rule ?? ""], [broken === "", broken]);
    });
  }

  for (const [what, rules, finding, broken] of cases) {
    test(what, () => {
      const { passes, reasons } = judged(imageOf([findingOf(finding)]), rules);
      assert.deepEqual([passes, reasons[0]?.rule ?? ""], [broken === "", broken]);
    });
  }

  test("tells the worst reasons first, a hundred at most, and how many there are", () => {
    const many = Array.from({ length: 300 }, (_, at) =>
      findingOf({ vulnerability: `CVE-2020-${1_000 + at}`, severity: "LOW" }),
    );
    const worst = findingOf({ vulnerability: "CVE-2021-44228", severity: "CRITICAL" });
    const verdict = judged(imageOf([...many, worst]), { failOn: "LOW" });
    assert.deepEqual([verdict.reasonCount, verdict.reasons.length], [301, 100]);
    assert.equal(verdict.reasons[0]?.finding, worst);
    const line =
      "breaks policy production: CVE-2021-44228 in openssl 1.0.1e is CRITICAL; no fix is known, and 300 more reasons (301 findings; all of the image was looked at)";
    assert.equal(verdict.message, line);
  });

  test("that asks for full coverage fails what was not looked at", () => {
    const image = imageOf([], { coverage: "PARTIAL", coverageNotes: ["unsupported_layer"] });
    const { reasons } = judged(image, { requireFullCoverage: true });
    assert.deepEqual(
      reasons.map(({ rule, message }) => [rule, message]),
      [["require_full_coverage", "only a part of the image was looked at (unsupported_layer)"]],
    );
  });

  test("that does not ask for it never says that the image keeps to it", () => {
    for (const coverage of ["PARTIAL", "UNSUPPORTED", "NOT_AN_IMAGE"] as Coverage[]) {
      const { passes, message } = judged(imageOf([], { coverage, coverageNotes: ["os_unknown"] }), { failOn: "LOW" });
      assert.equal(passes, true);
      assert.match(message, /^is not known to break policy production, but .*\(os_unknown\)/);
    }
    assert.match(judged(imageOf([]), { failOn: "LOW" }).message, /^keeps to policy production \(0 findings; all of/);
  });

  test("that passes over unknown severities says how many there are", () => {
    const image = imageOf([findingOf({ severity: "UNKNOWN" }), findingOf({ severity: "LOW" })]);
    const { message } = judged(image, { failOn: "HIGH" });
    assert.equal(
      message,
      "keeps to policy production (2 findings, 1 of unknown severity; all of the image was looked at)",
    );
  });

  test("that asks what no data file tells never says that an image with findings keeps to it", () => {
    const policies = [policyOf({ failOnKnownExploited: true, failOnEpss: 0.5 })];
    const verdictOf = (findings: JudgedFinding[], known: Partial<typeof told>) =>
      judge(imageOf(findings), { policies, exceptions: indexExceptions([]), told: { ...told, ...known }, now });
    const { passes, unjudgedRules, message } = verdictOf([findingOf()], { knownExploited: false });
    assert.deepEqual([passes, unjudgedRules], [true, ["fail_on_known_exploited"]]);
    assert.equal(
      message,
      "is not known to break policy production, but no data file was read for fail_on_known_exploited (1 finding; all of the image was looked at)",
    );
    const both = verdictOf([findingOf()], { knownExploited: false, epss: false });
    assert.deepEqual(both.unjudgedRules, ["fail_on_known_exploited", "fail_on_epss"]);
    const failed = verdictOf([findingOf({ epss: 0.9 })], { knownExploited: false });
    assert.match(failed.message, /^breaks policy production: .*looked at; no data file was read for fail_on_known/);
    assert.deepEqual(verdictOf([], { knownExploited: false }).unjudgedRules, [], "nothing could be exploited");
    assert.deepEqual(judged(imageOf([findingOf()]), {}).unjudgedRules, [], "no policy asks");
  });
});

describe("an exception", () => {
  const findings = [findingOf({ fixedVersion: "1.0.1g" })];
  const image = imageOf(findings, { indexDigest: `sha256:${"b".repeat(64)}` });
  const cases: [what: string, exception: Partial<PolicyException>, holds: boolean][] = [
    ["for a vulnerability holds in any image", {}, true],
    ["for another vulnerability does not hold", { vulnerability: "CVE-2014-6271" }, false],
    ["for the package holds", { package: "openssl" }, true],
    ["for another package does not", { package: "bash" }, false],
    ["for the version holds", { package: "openssl", version: "1.0.1e" }, true],
    ["for another version does not", { package: "openssl", version: "1.0.1g" }, false],
    ["for the repository holds", { repository: "library/*" }, true],
    ["for another repository does not", { repository: "team/**" }, false],
    ["for the image holds", { digest }, true],
    ["for the image's index holds", { digest: image.indexDigest }, true],
    ["for another image does not", { digest: `sha256:${"c".repeat(64)}` }, false],
    ["holds until it ends", { expiresAt: now + 1 }, true],
    ["does not hold when it has ended", { expiresAt: now }, false],
  ];
  for (const [what, exception, holds] of cases) {
    test(what, () => {
      const verdict = judged(image, { failOn: "HIGH" }, [exceptionOf(exception)]);
      assert.deepEqual([verdict.passes, verdict.exceptedCount], [holds, holds ? 1 : 0]);
    });
  }

  test("that holds longest is the one that is named", () => {
    const all = [
      exceptionOf({ repository: "library/web", expiresAt: now + 5 }),
      exceptionOf({ repository: "library/*", expiresAt: 0 }),
      exceptionOf({ repository: "**", expiresAt: now + 9 }),
    ];
    const { excepted } = judged(image, { failOn: "HIGH" }, all);
    assert.equal(excepted[0]?.exception.repository, "library/*");
  });
});

describe("a verdict", () => {
  // without a prototype now and then, two equal findings are not deeply equal
  const isPlain = { noNullPrototype: true };
  const finding: fc.Arbitrary<JudgedFinding> = fc.record(
    {
      vulnerability: fc.constantFrom("CVE-1", "CVE-2", "CVE-3", "CVE-4"),
      package: fc.constantFrom("openssl", "bash"),
      version: fc.constantFrom("1", "2"),
      fixedVersion: fc.constantFrom("", "3"),
      severity: fc.constantFrom(...severities),
      knownExploited: fc.boolean(),
      epss: fc.constantFrom(0, 0.3, 0.9),
      firstFoundAt: fc.constantFrom(0, now - 10 * day, now),
    },
    isPlain,
  );
  const image = fc
    .tuple(
      fc.array(finding, { maxLength: 12 }),
      fc.constantFrom<Coverage>("FULL", "PARTIAL", "UNSUPPORTED", "NOT_AN_IMAGE"),
    )
    .map(([findings, coverage]) => imageOf(findings, { coverage }));
  const rules: fc.Arbitrary<PolicyRules> = fc.record({
    failOn: fc.constantFrom(undefined, ...severities.slice(1)),
    fixableOnly: fc.boolean(),
    unknownAs: fc.constantFrom("IGNORE", "LOW", "FAIL"),
    graceDays: fc.constantFrom(0, 5, 20),
    failOnKnownExploited: fc.boolean(),
    failOnEpss: fc.constantFrom(0, 0.2, 0.8),
    requireFullCoverage: fc.boolean(),
  });
  const exception = fc
    .record({
      vulnerability: fc.constantFrom("CVE-1", "CVE-2", "CVE-3"),
      package: fc.constantFrom("", "openssl"),
      version: fc.constantFrom("", "1"),
      repository: fc.constantFrom("", "library/*", "team/*"),
      expiresAt: fc.constantFrom(0, now - 1, now + 1),
    })
    .map(exceptionOf);
  const exceptions = fc.array(exception, { maxLength: 5 });

  test("is never made worse by an exception", () => {
    fc.assert(
      fc.property(image, rules, exceptions, exception, (image, rules, exceptions, another) => {
        const [before, after] = [judged(image, rules, exceptions), judged(image, rules, [...exceptions, another])];
        assert.ok(after.reasonCount <= before.reasonCount);
        assert.ok(!before.passes || after.passes);
      }),
    );
  });

  test("of a stricter policy never passes what a laxer one fails", () => {
    fc.assert(
      fc.property(image, rules, rules, exceptions, (image, one, other, exceptions) => {
        const stricter = strictest(one, other);
        const passes = judged(image, stricter, exceptions).passes;
        assert.ok(!passes || judged(image, one, exceptions).passes);
        assert.ok(!passes || judged(image, other, exceptions).passes);
      }),
    );
  });

  test("does not depend on the order of findings, policies and exceptions", () => {
    fc.assert(
      fc.property(image, fc.array(rules, { maxLength: 3 }), exceptions, (image, all, exceptions) => {
        const policies = all.map((each, at) => policyOf(each, `p${at}`));
        const one = judge(image, { policies, exceptions: indexExceptions(exceptions), told, now });
        const turned = { ...image, findings: image.findings.toReversed() };
        const index = indexExceptions(exceptions.toReversed());
        assert.deepEqual(judge(turned, { policies: policies.toReversed(), exceptions: index, told, now }), one);
      }),
    );
  });

  test("passes without a reason and fails with one", () => {
    fc.assert(
      fc.property(image, rules, exceptions, (image, rules, exceptions) => {
        const { passes, reasonCount, reasons, message } = judged(image, rules, exceptions);
        assert.equal(passes, reasonCount === 0);
        assert.equal(reasons.length, Math.min(reasonCount, 100));
        assert.ok(image.coverage === "FULL" || !message.startsWith("keeps to"));
      }),
    );
  });

  function strictest(one: PolicyRules, other: PolicyRules): PolicyRules {
    const unknowns = ["IGNORE", "LOW", "FAIL"] as const;
    const failing = severities.filter((severity) => severity === one.failOn || severity === other.failOn);
    const probabilities = [one.failOnEpss, other.failOnEpss].filter((epss) => epss > 0);
    return {
      failOn: failing[0],
      fixableOnly: one.fixableOnly && other.fixableOnly,
      unknownAs: unknowns.findLast((word) => word === one.unknownAs || word === other.unknownAs) ?? "IGNORE",
      graceDays: Math.min(one.graceDays, other.graceDays),
      failOnKnownExploited: one.failOnKnownExploited || other.failOnKnownExploited,
      failOnEpss: probabilities.length === 0 ? 0 : Math.min(...probabilities),
      requireFullCoverage: one.requireFullCoverage || other.requireFullCoverage,
    };
  }
});
