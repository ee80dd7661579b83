import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ImagePolicy, PolicyRules } from "../domain/image-policy.ts";
import { nothingKnown } from "../ports/exploitation-data.ts";
import { FirstFound } from "./first-found.ts";
import { PolicyBook } from "./policy-book.ts";
import { type ReportedImage, ReportJudge } from "./report-judge.ts";

const dayMs = 86_400_000;
const lax: PolicyRules = {
  ...{ failOn: "HIGH", fixableOnly: false, unknownAs: "IGNORE", graceDays: 0 },
  ...{ failOnKnownExploited: false, failOnEpss: 0, requireFullCoverage: false },
};

function imageOf(parts: Partial<ReportedImage> = {}): ReportedImage {
  const finding = {
    vulnerability: "CVE-1",
    severity: "HIGH",
    package: "openssl",
    version: "1",
    fixedVersion: "2",
  } as const;
  return {
    ...{
      repository: "library/web",
      digest: "sha256:1",
      indexDigest: "",
      coverage: "FULL",
      coverageNotes: [],
      leftOut: {},
    },
    ...{ findings: [finding], scannedAt: 0, scanRules: undefined },
    ...parts,
  };
}

function setUp(...rules: [repository: string, rules: Partial<PolicyRules>][]) {
  const policies = rules.map(([repository, own], at): ImagePolicy => {
    return { name: `policy-${at}`, repository, rules: { ...lax, ...own }, updatedAt: 0 };
  });
  const noted = new Map<string, number>();
  const store = {
    version: async () => 1,
    policies: async () => policies,
    async *exceptions() {},
    times: async (keys: readonly string[]) => keys.map((key) => noted.get(key)),
    note: async (keys: readonly string[], at: number) => {
      for (const key of keys) if (!noted.has(key)) noted.set(key, at);
      return keys.map((key) => noted.get(key) ?? 0);
    },
  };
  const clock = { at: 100 * dayMs, now: () => clock.at };
  const [book, firstFound] = [new PolicyBook(store, clock), new FirstFound(store)];
  return { clock, noted, judge: new ReportJudge({ book, firstFound, exploitation: nothingKnown, clock }) };
}

describe("a report", () => {
  test("is judged by the policies for its repository, and by its scan's own", async () => {
    const { judge } = setUp(["library/*", {}], ["team/*", {}], ["", { failOn: "CRITICAL" }]);
    const verdict = await judge.judge(imageOf({ scanRules: { ...lax, failOn: "LOW" } }));
    assert.deepEqual(verdict?.policies, ["policy-0", "policy-2", "scan"]);
    assert.deepEqual(
      verdict?.reasons.map(({ policy }) => policy),
      ["policy-0", "scan"],
    );
  });

  test("is not judged where no policy holds", async () => {
    const { judge } = setUp(["team/*", {}]);
    assert.equal(await judge.judge(imageOf()), undefined);
  });

  test("has no more days of grace by being scanned again", async () => {
    const { judge, clock } = setUp(["", { graceDays: 7 }]);
    const passes = async () => (await judge.judge(imageOf({ scannedAt: clock.at })))?.passes;
    assert.equal(await passes(), true);
    clock.at += 7 * dayMs - 1;
    assert.equal(await passes(), true);
    clock.at += 1;
    assert.equal(await passes(), false);
  });

  test("of a scanner whose clock is ahead has no longer grace for that", async () => {
    const { judge, clock, noted } = setUp(["", { graceDays: 7 }]);
    await judge.judge(imageOf({ scannedAt: clock.at + 1_000 * dayMs }));
    assert.deepEqual([...noted.values()], [clock.at]);
  });

  test("costs no look at first times where no policy has days of grace", async () => {
    const { judge, noted } = setUp(["", {}]);
    await judge.judge(imageOf());
    assert.equal(noted.size, 0);
  });
});
