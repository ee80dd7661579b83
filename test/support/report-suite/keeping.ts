import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allPages, digestOf, digestsOf, finding, idsOf, putReport, reportOf } from "./reports.ts";
import { type ReportsUnderTest, suiteLimits } from "./reports-under-test.ts";

const dayMs = 86_400_000;

/** How long reports are kept, and how many of an image. */
export function testKeeping(under: ReportsUnderTest): void {
  const { keepMs, reportsPerImage } = suiteLimits;
  const tidy = async () => {
    for (let round = 0; round < 1_000; round++) if (!(await under.reports.tidy())) return;
    assert.fail("there is always more to tidy");
  };
  const isKept = async (reportId: string) => (await under.reports.read(reportId)) !== undefined;
  const listed = () => allPages((page) => under.queries.list({ repository: "" }, "WORST", page));

  describe("keeping", () => {
    test("what is neither old nor too much stays as it is", async () => {
      await putReport(under, digestOf(1), { findings: [finding("CVE-1")], tags: ["1.0"] });
      under.clock.advance(keepMs - 1_000);
      const before = [await listed(), await under.queries.summarize("")];
      await tidy();
      assert.deepEqual([await listed(), await under.queries.summarize("")], before);
    });

    test("an image whose last report is too old is gone from everything", async () => {
      const old = await putReport(under, digestOf(1), {
        ...{ repository: "a", tags: ["1"], findings: [finding("CVE-1")], layerNames: ["l1"] },
      });
      under.clock.advance(keepMs / 2);
      const recent = await putReport(under, digestOf(2), { repository: "b", findings: [finding("CVE-1")] });
      under.clock.advance(keepMs / 2 + 1_000);
      await tidy();
      assert.deepEqual([await isKept(old), await isKept(recent)], [false, true]);
      assert.deepEqual(idsOf(await listed()), [recent]);
      assert.deepEqual(await under.reports.ofJob(old), []);
      assert.deepEqual(await under.reports.newestOf(digestOf(1)), []);
      assert.deepEqual(await under.reports.newestOfTag("a", "1"), []);
      const { items, counts } = await under.queries.findVulnerability("CVE-1", "", { size: 9, token: "" });
      assert.deepEqual([digestsOf(items), counts.images, counts.scanned], [[digestOf(2)], 1, 1]);
      assert.deepEqual((await under.queries.findByLayers(["l1"], { size: 9, token: "" })).items, []);
      const { totals, repositories } = await under.queries.summarize("");
      assert.deepEqual([totals.images, repositories.map(({ repository }) => repository)], [1, ["b"]]);
      assert.deepEqual(await under.queries.standing("a", under.clock.now()), []);
    });

    test("an image that is scanned again after its reports are gone is known as before", async () => {
      await putReport(under, digestOf(1), { repository: "a", tags: ["1"] });
      under.clock.advance(keepMs + 1_000);
      await tidy();
      const again = await putReport(under, digestOf(1), { repository: "a", tags: ["1"] });
      await tidy();
      assert.deepEqual(idsOf(await under.reports.newestOfTag("a", "1")), [again]);
      assert.deepEqual(idsOf(await listed()), [again]);
    });

    test("a report is too old by when it was stored, not by when its image was scanned", async () => {
      const scannedAt = under.clock.now() - 100 * keepMs;
      const reportId = await putReport(under, digestOf(1), { scannedAt });
      await tidy();
      assert.equal(await isKept(reportId), true);
    });

    test("of an image the newest reports are kept, as many as were set", async () => {
      const now = under.clock.now();
      const ids: string[] = [];
      for (const later of [5, 1, 4, 2, 3]) ids.push(await putReport(under, digestOf(1), { scannedAt: now + later }));
      const other = await putReport(under, digestOf(2), { scannedAt: now });
      await tidy();
      const kept = await Promise.all([...ids, other].map(isKept));
      assert.deepEqual(kept, [true, false, true, false, true, true]);
      assert.equal(kept.filter(Boolean).length, reportsPerImage + 1);
      assert.deepEqual(idsOf(await under.reports.newestOf(digestOf(1))), [ids[0]]);
      assert.deepEqual(digestsOf(await under.queries.standing("library/web", now + 3)), [digestOf(2)]);
      assert.deepEqual(idsOf(await under.queries.standing("library/web", now + 4)), [ids[4], other]);
    });

    test("of an image one from the day before is kept among them, however often it is scanned", async () => {
      const now = under.clock.now();
      await putReport(under, digestOf(1), { scannedAt: now - 2 * dayMs });
      const base = await putReport(under, digestOf(1), { scannedAt: now - dayMs });
      const ids: string[] = [];
      for (const later of [1, 2, 3, 4, 5]) ids.push(await putReport(under, digestOf(1), { scannedAt: now + later }));
      await tidy();
      const kept = await Promise.all([base, ...ids].map(isKept));
      assert.deepEqual(kept, [true, false, false, false, true, true]);
      assert.deepEqual(idsOf(await under.queries.standing("library/web", now)), [base]);
      assert.deepEqual(idsOf(await under.reports.newestOf(digestOf(1))), [ids[4]]);
    });

    test("when the newest report of an image goes by age, the next one takes its place", async () => {
      const now = under.clock.now();
      const newest = await putReport(under, digestOf(1), { scannedAt: now, findings: [finding("CVE-1")] });
      under.clock.advance(keepMs / 2);
      const next = await putReport(under, digestOf(1), { scannedAt: now - 1, findings: [finding("CVE-2", "LOW")] });
      under.clock.advance(keepMs / 2 + 1_000);
      await tidy();
      assert.deepEqual([await isKept(newest), await isKept(next)], [false, true]);
      assert.deepEqual(idsOf(await under.reports.newestOf(digestOf(1))), [next]);
      assert.deepEqual(idsOf(await listed()), [next]);
      assert.deepEqual((await under.queries.summarize("")).totals.bySeverity, { LOW: 1 });
      const found = async (name: string) =>
        (await under.queries.findVulnerability(name, "", { size: 9, token: "" })).counts.images;
      assert.deepEqual([await found("CVE-1"), await found("CVE-2")], [0, 1]);
    });

    test("storing a report again keeps it as long as a new one", async () => {
      const lease = await under.startJob();
      const report = reportOf(lease, digestOf(1), { scannedAt: under.clock.now() });
      await under.reports.put(lease, report);
      under.clock.advance(keepMs / 2);
      await under.reports.put(lease, report);
      under.clock.advance(keepMs / 2 + 1_000);
      await tidy();
      assert.equal(await isKept(lease.jobId), true);
    });

    test("many reports too many are removed in bounded parts", async () => {
      const ids: string[] = [];
      for (let number = 0; number < 120; number++) ids.push(await putReport(under, digestOf(number)));
      under.clock.advance(keepMs + 1_000);
      const last = await putReport(under, digestOf(1_000));
      await tidy();
      assert.deepEqual(idsOf(await listed()), [last]);
      assert.deepEqual((await Promise.all(ids.map(isKept))).filter(Boolean), []);
    });
  });
}
