import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IndexedReport, Severity } from "@drydock/job-controller/domain/report-entry.ts";
import type { ReportFilter, ReportOrder } from "@drydock/job-controller/ports/report-queries.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { allPages, digestOf, digestsOf, finding, putReport } from "./reports.ts";
import type { ReportsUnderTest } from "./reports-under-test.ts";

const orders: readonly ReportOrder[] = ["WORST", "NEWEST", "OLDEST", "EPSS", "REPOSITORY"];

/** As many findings of the severity. */
function many(count: number, severity: Severity, fixedVersion = "2.37") {
  return Array.from({ length: count }, (_, number) => finding(`CVE-${severity}-${number}`, severity, { fixedVersion }));
}

/** ListReports: filters, orders and pages. */
export function testLists(under: ReportsUnderTest): void {
  const list = async (filter: Partial<ReportFilter> = {}, order: ReportOrder = "WORST", size = 100) =>
    digestsOf(await allPages((page) => under.queries.list({ repository: "", ...filter }, order, page), size));
  /** Puts reports of the images 1, 2 and so on. */
  const putEach = async (reports: readonly Partial<IndexedReport>[]) => {
    for (const [index, parts] of reports.entries()) await putReport(under, digestOf(index + 1), parts);
  };
  const digests = (...numbers: number[]) => numbers.map(digestOf);

  describe("orders", () => {
    test("the worst come first: by known exploited, critical, high, medium and low, then by digest", async () => {
      await putEach([
        {},
        { findings: many(3, "NEGLIGIBLE") },
        { findings: many(9, "LOW") },
        { findings: [...many(1, "MEDIUM"), ...many(1, "LOW")] },
        { findings: many(2, "MEDIUM") },
        { findings: [...many(1, "HIGH"), ...many(300, "LOW")] },
        { findings: many(12, "HIGH") },
        { findings: many(1, "CRITICAL") },
        { findings: many(10, "CRITICAL") },
        { findings: many(1, "LOW"), knownExploited: 1 },
        { findings: many(2, "LOW"), knownExploited: 1 },
        { findings: many(1, "LOW"), knownExploited: 11 },
      ]);
      assert.deepEqual(await list(), digests(12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 1, 2));
    });

    test("the newest or the oldest come first, and those of one time by digest", async () => {
      const now = under.clock.now();
      await putEach([30, 10, 20, 10].map((ago) => ({ scannedAt: now - ago })));
      assert.deepEqual(await list({}, "NEWEST"), digests(2, 4, 3, 1));
      assert.deepEqual(await list({}, "OLDEST"), digests(1, 3, 2, 4));
    });

    test("the most likely to be exploited come first, to five digits, and those of one probability by digest", async () => {
      await putEach([0, 0.00002, 1, 0.9, 0.00002, 0.00001, 0.97465].map((maxEpss) => ({ maxEpss })));
      assert.deepEqual(await list({}, "EPSS"), digests(3, 7, 4, 2, 5, 6, 1));
    });

    test("by repository each image is where its first repository puts it", async () => {
      await putEach(["b", "c", "b", "a/z", "d"].map((repository) => ({ repository })));
      assert.deepEqual(await list({}, "REPOSITORY"), digests(4, 1, 3, 2, 5));
      await under.reports.recordImages([{ repository: "Z", digest: digestOf(5), tags: [] }]);
      assert.deepEqual(await list({}, "REPOSITORY"), digests(5, 4, 1, 3, 2), "by bytes: capitals come first");
    });

    test("a newer report moves its image in every order", async () => {
      const now = under.clock.now();
      await putEach([
        { findings: many(1, "CRITICAL"), scannedAt: now },
        { findings: many(1, "HIGH"), scannedAt: now + 1 },
      ]);
      await putReport(under, digestOf(1), { findings: many(1, "LOW"), scannedAt: now + 2 });
      assert.deepEqual(await list({}, "WORST"), digests(2, 1));
      assert.deepEqual(await list({}, "NEWEST"), digests(1, 2));
      assert.deepEqual(await list({}, "OLDEST"), digests(2, 1));
    });
  });

  describe("filters", () => {
    test("a repository is a name, or a glob that any of the image's repositories fits", async () => {
      await putEach(["team/app", "team/app/sub", "other/app", "team"].map((repository) => ({ repository })));
      await under.reports.recordImages([{ repository: "team/copy", digest: digestOf(3), tags: ["x"] }]);
      const globs = ["team/app", "team/*", "team/**", "*/app", "t?am", "none", "te.m"];
      const seen = await Promise.all(globs.map((repository) => list({ repository })));
      const expected = [digests(1), digests(1, 3), digests(1, 2, 3), digests(1, 3), digests(4), [], []];
      assert.deepEqual(seen, expected);
    });

    test("a least severity is that of the worst finding", async () => {
      await putEach([
        {},
        { findings: many(1, "UNKNOWN") },
        { findings: many(1, "NEGLIGIBLE") },
        { findings: [...many(5, "LOW"), ...many(1, "MEDIUM")] },
        { findings: many(1, "HIGH") },
        { findings: many(1, "CRITICAL") },
      ]);
      const least = async (leastSeverity: Severity) => (await list({ leastSeverity }, "OLDEST")).length;
      const seen: number[] = [];
      for (const severity of ["UNKNOWN", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH", "CRITICAL"] as const) {
        seen.push(await least(severity));
      }
      assert.deepEqual(seen, [5, 4, 3, 3, 2, 1]);
      assert.deepEqual(await list({ leastSeverity: "MEDIUM" }), digests(6, 5, 4));
    });

    test("fixable are those of which a finding has a fix", async () => {
      await putEach([
        { findings: [...many(2, "LOW", ""), finding("CVE-1", "LOW")] },
        { findings: many(1, "CRITICAL", "") },
        {},
      ]);
      assert.deepEqual(await list({ fixable: true }), digests(1));
      assert.deepEqual(await list({ fixable: false }), digests(2, 3));
    });

    test("known exploited are those that have such a vulnerability", async () => {
      await putEach([{}, { knownExploited: 2 }, { knownExploited: 1, findings: many(1, "LOW") }]);
      for (const order of orders) {
        assert.deepEqual((await list({ knownExploited: true }, order)).toSorted(), digests(2, 3), order);
        assert.deepEqual(await list({ knownExploited: false }, order), digests(1));
      }
    });

    test("coverage, scanner and vulnerability are told apart exactly", async () => {
      await putEach([
        { coverage: "FULL", scanner: "Clair", findings: [finding("CVE-2023-1")] },
        { coverage: "PARTIAL", scanner: "Trivy", findings: [finding("CVE-2023-10")] },
        { coverage: "UNSUPPORTED", scanner: "", findings: [] },
        { coverage: "NOT_AN_IMAGE", scanner: "Clair 4", findings: [] },
      ]);
      assert.deepEqual(await list({ coverage: "FULL" }), digests(1));
      assert.deepEqual(await list({ coverage: "NOT_AN_IMAGE" }), digests(4));
      assert.deepEqual(await list({ scanner: "Clair" }), digests(1));
      assert.deepEqual(await list({ vulnerability: "CVE-2023-1" }), digests(1));
      assert.deepEqual(await list({ vulnerability: "CVE-2023" }), []);
    });

    test("a time of scanning begins at its first and ends before its last millisecond", async () => {
      const now = under.clock.now();
      await putEach([0, 1, 2, 3].map((later) => ({ scannedAt: now + later })));
      assert.deepEqual(await list({ scannedAfter: now + 1, scannedBefore: now + 3 }), digests(2, 3));
      assert.deepEqual(await list({ scannedAfter: now + 3 }), digests(4));
      assert.deepEqual(await list({ scannedBefore: now }), []);
    });

    test("what is set must all hold", async () => {
      await putEach([
        { repository: "a", findings: [finding("CVE-1", "HIGH")] },
        { repository: "b", findings: [finding("CVE-1", "HIGH")] },
        { repository: "a", findings: [finding("CVE-1", "LOW")] },
        { repository: "a", findings: [finding("CVE-2", "HIGH")] },
        { repository: "a", findings: [finding("CVE-1", "HIGH", { fixedVersion: "" })] },
      ]);
      const filter = { repository: "a", leastSeverity: "MEDIUM", vulnerability: "CVE-1", fixable: true } as const;
      for (const order of orders) assert.deepEqual(await list(filter, order), digests(1));
    });
  });

  describe("pages", () => {
    /** Images in pairs that are alike in all that orders them but the digest. */
    const putPairs = async (count: number) => {
      const now = under.clock.now();
      for (let number = 0; number < count; number++) {
        const pair = Math.floor(number / 2);
        const parts = { scannedAt: now + (pair % 4), repository: `team/${pair % 3}`, findings: many(pair % 5, "HIGH") };
        await putReport(under, digestOf(number), parts);
      }
    };

    test("pages of any size show each image once, in the same order", async () => {
      await putPairs(23);
      for (const order of orders) {
        const whole = await list({}, order);
        assert.equal(new Set(whole).size, 23);
        for (const size of [1, 2, 7, 23, 24])
          assert.deepEqual(await list({}, order, size), whole, `${order} by ${size}`);
        const filter = { repository: "team/*", leastSeverity: "HIGH" } as const;
        const filtered = await list(filter, order);
        assert.ok(filtered.length > 10 && filtered.length < 23);
        assert.deepEqual(await list(filter, order, 3), filtered);
      }
    });

    test("a page goes on behind the last, whatever came or went meanwhile", async () => {
      await putPairs(10);
      const page = { repository: "" };
      for (const order of orders) {
        const whole = await list({}, order);
        const first = await under.queries.list(page, order, { size: 4, token: "" });
        const shown = digestsOf(first.items);
        assert.deepEqual(shown, whole.slice(0, shown.length));
        await putReport(under, digestOf(0), { scannedAt: under.clock.now() + 100, findings: many(1, "LOW") });
        const rest = await allPages(({ size, token }) =>
          under.queries.list(page, order, { size, token: token === "" ? first.nextToken : token }),
        );
        const others = [...shown, ...digestsOf(rest)].filter((digest) => digest !== digestOf(0));
        assert.deepEqual(
          others,
          whole.filter((digest) => digest !== digestOf(0)),
        );
        under.clock.advance(1_000);
      }
    });

    test("a token of one order is refused by the others", async () => {
      await putPairs(4);
      for (const order of orders) {
        const { nextToken: token } = await under.queries.list({ repository: "" }, order, { size: 1, token: "" });
        for (const other of orders.filter((each) => each !== order)) {
          const asked = under.queries.list({ repository: "" }, other, { size: 1, token });
          await assert.rejects(asked, { reason: "FIELD_INVALID" }, `${order} ${other}`);
        }
      }
    });

    test("a token that the store did not give is refused, and breaks nothing", async () => {
      await putPairs(4);
      const given = (await under.queries.list({ repository: "" }, "WORST", { size: 1, token: "" })).nextToken;
      const odd = [
        "x",
        "[]",
        "null",
        "{}",
        '["", ""]',
        "0",
        "-1",
        "\0",
        "💥",
        "x".repeat(10_000),
        "'; DROP TABLE x; --",
      ];
      const encoded = odd.map((text) => Buffer.from(text).toString("base64url"));
      const cut = [given.slice(0, -2), given.slice(1)];
      for (const order of orders) {
        for (const token of [...odd, ...encoded]) {
          const asked = under.queries.list({ repository: "" }, order, { size: 2, token });
          await assert.rejects(asked, { reason: "FIELD_INVALID" }, `${order} ${JSON.stringify(token).slice(0, 40)}`);
        }
        // nobody can tell a part of a token from another token: it may be taken, but is no fault of the store
        for (const token of cut) {
          const asked = under.queries.list({ repository: "" }, order, { size: 2, token });
          await asked.catch((error) => assert.ok(error instanceof ReasonedError && error.reason === "FIELD_INVALID"));
        }
      }
      assert.equal((await list()).length, 4);
    });
  });
}
