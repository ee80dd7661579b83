import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReportTotals } from "@drydock/job-controller/ports/report-queries.ts";
import { digestOf, digestsOf, finding, putReport } from "./reports.ts";
import type { ReportsUnderTest } from "./reports-under-test.ts";

const dayMs = 86_400_000;

const nothing: ReportTotals = {
  ...{ images: 0, findings: 0, fixable: 0, bySeverity: {}, imagesBySeverity: {}, byCoverage: {} },
  imagesWithKnownExploited: 0,
};

/** Summaries, and how they were on the days before. */
export function testTotals(under: ReportsUnderTest): void {
  describe("summaries", () => {
    test("without reports everything is nothing", async () => {
      const summary = await under.queries.summarize("");
      assert.deepEqual(summary, { totals: nothing, repositories: [], repositoryCount: 0, worst: [] });
    });

    test("totals are those of the newest reports", async () => {
      const critical = finding("CVE-1", "CRITICAL", { fixedVersion: "" });
      await putReport(under, digestOf(1), { findings: [critical, finding("CVE-2", "LOW")], knownExploited: 2 });
      await putReport(under, digestOf(2), { findings: [finding("CVE-2", "LOW")], coverage: "PARTIAL" });
      await putReport(under, digestOf(3), { coverage: "UNSUPPORTED" });
      await putReport(under, digestOf(4));
      assert.deepEqual((await under.queries.summarize("")).totals, {
        ...{ images: 4, findings: 3, fixable: 2, bySeverity: { CRITICAL: 1, LOW: 2 } },
        ...{ imagesBySeverity: { CRITICAL: 1, LOW: 1, NONE: 2 }, byCoverage: { FULL: 2, PARTIAL: 1, UNSUPPORTED: 1 } },
        imagesWithKnownExploited: 1,
      });
    });

    test("a newer report takes its image's place in all of them", async () => {
      const now = under.clock.now();
      await putReport(under, digestOf(1), {
        ...{ findings: [finding("CVE-1", "CRITICAL")], knownExploited: 1, coverage: "PARTIAL", scannedAt: now },
      });
      await putReport(under, digestOf(1), { scannedAt: now + 1 });
      const expected = { ...nothing, images: 1, imagesBySeverity: { NONE: 1 }, byCoverage: { FULL: 1 } };
      const { totals, repositories } = await under.queries.summarize("");
      assert.deepEqual(totals, expected);
      assert.deepEqual(repositories, [{ repository: "library/web", totals: expected }]);
    });

    test("an image of several repositories counts once in all, and once in each", async () => {
      await putReport(under, digestOf(1), { repository: "team/app", findings: [finding("CVE-1")] });
      await under.reports.recordImages([
        { repository: "team/copy", digest: digestOf(1), tags: ["1", "2"] },
        { repository: "other/copy", digest: digestOf(1), tags: [] },
      ]);
      const counts = async (glob: string) => {
        const { totals, repositories, repositoryCount, worst } = await under.queries.summarize(glob);
        const names = repositories.map(({ repository, totals: own }) => `${repository} ${own.images} ${own.findings}`);
        return [totals.images, totals.findings, names, repositoryCount, worst.length];
      };
      assert.deepEqual(await counts(""), [1, 1, ["other/copy 1 1", "team/app 1 1", "team/copy 1 1"], 3, 1]);
      assert.deepEqual(await counts("team/*"), [1, 1, ["team/app 1 1", "team/copy 1 1"], 2, 1]);
      assert.deepEqual(await counts("team/app"), [1, 1, ["team/app 1 1"], 1, 1]);
      assert.deepEqual(await counts("none"), [0, 0, [], 0, 0]);
    });

    test("the worst repositories come first, by the sums of what orders images", async () => {
      const put = (number: number, repository: string, severity: "CRITICAL" | "HIGH" | "LOW", knownExploited = 0) =>
        putReport(under, digestOf(number), { repository, findings: [finding("CVE-1", severity)], knownExploited });
      await put(1, "low", "LOW");
      await put(2, "high", "HIGH");
      await put(3, "two-high", "HIGH");
      await put(4, "two-high", "HIGH");
      await put(5, "critical", "CRITICAL");
      await put(6, "exploited", "LOW", 3);
      await put(7, "a-low", "LOW");
      const { repositories } = await under.queries.summarize("");
      const names = repositories.map(({ repository }) => repository);
      assert.deepEqual(names, ["exploited", "critical", "two-high", "high", "a-low", "low"]);
    });

    test("the ten worst images are shown, and of repositories the hundred worst", async () => {
      for (let number = 0; number < 103; number++) {
        const findings = [finding("CVE-1", number < 12 ? "HIGH" : "LOW")];
        await putReport(under, digestOf(number), { repository: `r${String(number).padStart(3, "0")}`, findings });
      }
      const { worst, repositories, repositoryCount } = await under.queries.summarize("r*");
      assert.deepEqual(
        digestsOf(worst),
        Array.from({ length: 10 }, (_, number) => digestOf(number)),
      );
      assert.deepEqual(worst[0]?.locations, [{ repository: "r000", tags: [] }]);
      assert.deepEqual([repositories.length, repositoryCount], [100, 103]);
      assert.deepEqual([repositories[0]?.repository, repositories[99]?.repository], ["r000", "r099"]);
    });
  });

  describe("days", () => {
    test("are given from the oldest, as they were noted last, those without a note left out", async () => {
      const { queries, clock } = under;
      const day = () => new Date(clock.now()).toISOString().slice(0, 10);
      const imagesOf = async (count: number) =>
        (await queries.history(count)).map(({ day, totals }) => [day, totals.images]);
      const days = [day()];
      await queries.noteDay();
      clock.advance(2 * dayMs);
      days.push(day());
      await queries.noteDay();
      await putReport(under, digestOf(1), { findings: [finding("CVE-1")] });
      await queries.noteDay();
      const { totals } = await queries.summarize("");
      clock.advance(dayMs);
      days.push(day());
      await putReport(under, digestOf(2));
      const [first, second, today] = days;
      assert.deepEqual(await imagesOf(4), [
        [first, 0],
        [second, 1],
        [today, 2],
      ]);
      assert.deepEqual(
        (await queries.history(2))[0],
        { day: second, totals },
        "two days do not reach back to the first",
      );
    });

    test("have what is known of today, which is not counted then", async () => {
      const { queries } = under;
      await putReport(under, digestOf(1), { findings: [finding("CVE-1")] });
      const { totals } = await queries.summarize("");
      await putReport(under, digestOf(2));
      assert.deepEqual(
        (await queries.history(1, totals)).map((day) => day.totals),
        [totals],
      );
    });

    test("have today as it stands, noted or not", async () => {
      const { queries } = under;
      await queries.noteDay();
      await putReport(under, digestOf(1), { findings: [finding("CVE-1")] });
      const { totals } = await queries.summarize("");
      assert.deepEqual(
        (await queries.history(30)).map(({ totals }) => totals),
        [totals],
      );
    });
  });
}
