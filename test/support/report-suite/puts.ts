import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { allPages, digestOf, digestsOf, finding, idsOf, putReport, readGzip, reportOf } from "./reports.ts";
import type { ReportsUnderTest } from "./reports-under-test.ts";

const everything = { repository: "" };

/** How reports come in and are read. */
export function testPuts(under: ReportsUnderTest): void {
  const listed = () => allPages((page) => under.queries.list(everything, "WORST", page));

  describe("storing", () => {
    test("a report is read as it was put, in pieces", async () => {
      const lease = await under.startJob();
      const gzip = randomBytes(3 * 1024 * 1024 + 17);
      await under.reports.put(lease, { ...reportOf(lease, digestOf(1), {}), gzip });
      const pieces = await Array.fromAsync((await under.reports.read(lease.jobId)) ?? []);
      assert.ok(Buffer.concat(pieces).equals(gzip));
      assert.ok(Math.max(...pieces.map(({ length }) => length)) <= 1024 * 1024, "no piece is large");
    });

    test("of what was never stored there is nothing", async () => {
      const { jobId } = await under.startJob();
      assert.equal(await under.reports.read(jobId), undefined);
      assert.equal(await under.reports.read(`${jobId}~1`), undefined);
      assert.deepEqual(await under.reports.ofJob(jobId), []);
      assert.deepEqual(await under.reports.newestOf(digestOf(1)), []);
      assert.deepEqual(await under.reports.newestOfTag("library/web", "1.0"), []);
      assert.deepEqual(await listed(), []);
    });

    test("a report is listed with all that is known of it", async () => {
      const findings = [finding("CVE-1", "CRITICAL"), finding("CVE-2", "LOW", { fixedVersion: "" })];
      const lease = await under.startJob();
      const report = reportOf(lease, digestOf(1), {
        ...{ findings, repository: "team/app", tags: ["2.0", "latest"], platform: "linux/arm64" },
        ...{ coverage: "PARTIAL", coverageNotes: ["os_unknown", "no_packages"], scanner: "Clair", scannerState: "s1" },
        ...{ scannedAt: under.clock.now(), headline: "2 vulnerabilities", knownExploited: 1, maxEpss: 0.25 },
        layerNames: ["l1"],
      });
      await under.reports.put(lease, report);
      const { findings: _findings, layerNames: _layers, ...entry } = report.entry;
      const locations = [{ repository: "team/app", tags: ["2.0", "latest"] }];
      assert.deepEqual(await listed(), [{ ...entry, locations, locationCount: 1 }]);
    });

    test("a job's reports are given by their numbers", async () => {
      const lease = await under.startJob();
      const ids = [lease.jobId, ...Array.from({ length: 11 }, (_, index) => `${lease.jobId}~${index + 1}`)];
      for (const [number, reportId] of [...ids.entries()].reverse()) {
        await under.reports.put(lease, reportOf(lease, digestOf(number), { reportId, platform: `linux/${number}` }));
      }
      const expected = ids.map((reportId, number) => {
        return { reportId, digest: digestOf(number), platform: `linux/${number}` };
      });
      assert.deepEqual(await under.reports.ofJob(lease.jobId), expected);
      assert.equal(String(await readGzip(under, `${lease.jobId}~11`)), `report of ${lease.jobId}~11`);
    });

    test("a job without its first report gives the others", async () => {
      const lease = await under.startJob();
      const reportId = `${lease.jobId}~3`;
      await under.reports.put(lease, reportOf(lease, digestOf(3), { reportId }));
      assert.deepEqual(idsOf(await under.reports.ofJob(lease.jobId)), [reportId]);
      assert.equal(await under.reports.read(lease.jobId), undefined);
    });

    test("the newest report of an image is the one scanned last, whichever came last", async () => {
      const now = under.clock.now();
      const newer = await putReport(under, digestOf(1), { scannedAt: now });
      const older = await putReport(under, digestOf(1), { scannedAt: now - 1 });
      const newest = await putReport(under, digestOf(1), { scannedAt: now + 1 });
      assert.deepEqual(idsOf(await under.reports.newestOf(digestOf(1))), [newest]);
      assert.deepEqual(idsOf(await listed()), [newest]);
      for (const id of [newer, older, newest]) assert.equal(String(await readGzip(under, id)), `report of ${id}`);
    });

    test("an older report that comes later changes nothing of what the image has", async () => {
      const now = under.clock.now();
      await putReport(under, digestOf(1), { scannedAt: now, findings: [finding("CVE-1")], layerNames: ["new"] });
      await putReport(under, digestOf(1), { scannedAt: now - 1, findings: [finding("CVE-2")], layerNames: ["old"] });
      const old = await under.queries.findVulnerability("CVE-2", "", { size: 10, token: "" });
      assert.deepEqual([old.items, old.counts.images], [[], 0]);
      assert.deepEqual((await under.queries.findByLayers(["old"], { size: 10, token: "" })).items, []);
      assert.equal((await under.queries.summarize("")).totals.findings, 1);
    });

    test("the newest report of an image says by whom and when it was made", async () => {
      const parts = { scannedAt: under.clock.now(), scanner: "Clair", scannerState: "s7", platform: "linux/amd64" };
      const reportId = await putReport(under, digestOf(1), { ...parts, coverage: "PARTIAL" });
      const [known] = await under.reports.newestOf(digestOf(1));
      assert.deepEqual(known, { ...parts, reportId, digest: digestOf(1), coverage: "PARTIAL" });
    });

    test("the same report again changes nothing", async () => {
      const lease = await under.startJob();
      const findings = [finding("CVE-1"), finding("CVE-2", "LOW")];
      const report = reportOf(lease, digestOf(1), { findings, tags: ["1.0"], layerNames: ["l1"] });
      await under.reports.put(lease, report);
      const before = [await listed(), await under.queries.summarize("")];
      await under.reports.put(lease, report);
      assert.deepEqual([await listed(), await under.queries.summarize("")], before);
      assert.equal((await under.reports.ofJob(lease.jobId)).length, 1);
    });

    test("a report that a job stores again takes the place of its first, whole", async () => {
      const lease = await under.startJob();
      const first = reportOf(lease, digestOf(1), { findings: [finding("CVE-1")], layerNames: ["l1"] });
      await under.reports.put(lease, first);
      const again = reportOf(lease, digestOf(1), { findings: [finding("CVE-2", "LOW")], layerNames: ["l2"] });
      await under.reports.put(lease, { ...again, gzip: Buffer.from("again") });
      assert.equal(String(await readGzip(under, lease.jobId)), "again");
      const matchesOf = async (name: string) =>
        (await under.queries.findVulnerability(name, "", { size: 10, token: "" })).items.length;
      assert.deepEqual([await matchesOf("CVE-1"), await matchesOf("CVE-2")], [0, 1]);
      const { totals } = await under.queries.summarize("");
      assert.deepEqual([totals.images, totals.findings, totals.bySeverity], [1, 1, { LOW: 1 }]);
    });

    test("what the newer report of an image has not is found no more", async () => {
      const now = under.clock.now();
      const both = finding("CVE-BOTH", "HIGH");
      await putReport(under, digestOf(1), {
        ...{ scannedAt: now, findings: [finding("CVE-OLD", "CRITICAL"), both], layerNames: ["old", "both"] },
      });
      await putReport(under, digestOf(1), {
        ...{ scannedAt: now + 1, findings: [both, finding("CVE-NEW", "LOW")], layerNames: ["both", "new"] },
      });
      const seen: unknown[] = [];
      for (const [name, layer] of [
        ["CVE-OLD", "old"],
        ["CVE-BOTH", "both"],
        ["CVE-NEW", "new"],
      ] as const) {
        const { items, counts } = await under.queries.findVulnerability(name, "", { size: 10, token: "" });
        const withIt = await under.queries.list({ repository: "", vulnerability: name }, "WORST", {
          size: 10,
          token: "",
        });
        const byLayer = await under.queries.findByLayers([layer], { size: 10, token: "" });
        seen.push([items.length, counts.images, withIt.items.length, byLayer.items.length]);
      }
      assert.deepEqual(seen, [
        [0, 0, 0, 0],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ]);
      const { totals } = await under.queries.summarize("");
      assert.deepEqual(totals.bySeverity, { HIGH: 1, LOW: 1 });
    });
  });

  describe("the right to store", () => {
    test("a lease that is held may store, one that is lost may not, and leaves nothing", async () => {
      const lease = await under.startJob();
      await under.reports.checkLease(lease);
      await under.loseLease(lease);
      await assert.rejects(under.reports.checkLease(lease), { reason: "LEASE_LOST" });
      await assert.rejects(under.reports.put(lease, reportOf(lease, digestOf(1), {})), { reason: "LEASE_LOST" });
      assert.equal(await under.reports.read(lease.jobId), undefined);
      assert.deepEqual(await under.reports.newestOf(digestOf(1)), []);
      assert.deepEqual(await listed(), []);
    });

    test("another token and another process are refused", async () => {
      const lease = await under.startJob();
      for (const other of [
        { ...lease, token: lease.token - 1 },
        { ...lease, token: lease.token + 1 },
        { ...lease, incarnation: "second" },
      ]) {
        await assert.rejects(under.reports.put(other, reportOf(lease, digestOf(1), {})), { reason: "LEASE_LOST" });
      }
      assert.deepEqual(await listed(), []);
    });

    test("a report that was stored before the lease was lost stays", async () => {
      const lease = await under.startJob();
      await under.reports.put(lease, reportOf(lease, digestOf(1), {}));
      await under.loseLease(lease);
      const other = { ...reportOf(lease, digestOf(1), {}), gzip: Buffer.from("other") };
      await assert.rejects(under.reports.put(lease, other), { reason: "LEASE_LOST" });
      assert.equal(String(await readGzip(under, lease.jobId)), `report of ${lease.jobId}`);
    });

    test("a job that there never was has no report", async () => {
      const { jobId, ...rest } = await under.startJob();
      const lease = { ...rest, jobId: `${jobId.slice(0, -1)}${jobId.endsWith("0") ? "1" : "0"}` };
      await assert.rejects(under.reports.checkLease(lease), { reason: "JOB_NOT_FOUND" });
    });
  });

  describe("storing at once", () => {
    test("of many reports at once none is missing and none counts twice", async () => {
      const images = 40;
      const now = under.clock.now();
      const leases = await Promise.all(Array.from({ length: 3 * images }, () => under.startJob()));
      const puts = leases.map((lease, number) => {
        const [image, scan] = [number % images, Math.floor(number / images)];
        const findings = [finding("CVE-ALL"), finding(`CVE-SCAN-${scan}`, "LOW")];
        const parts = { scannedAt: now + scan, findings, repository: `team/${image % 3}`, tags: [`t${image}`] };
        return under.reports.put(lease, reportOf(lease, digestOf(image), parts));
      });
      await Promise.all(puts);
      assert.deepEqual(
        digestsOf(await listed()),
        Array.from({ length: images }, (_, image) => digestOf(image)),
      );
      const { totals, repositories } = await under.queries.summarize("");
      assert.deepEqual([totals.images, totals.findings], [images, 2 * images]);
      assert.equal(
        repositories.reduce((sum, each) => sum + each.totals.images, 0),
        images,
      );
      const countOf = async (name: string) =>
        (await under.queries.findVulnerability(name, "", { size: 1, token: "" })).counts.images;
      assert.deepEqual(
        [await countOf("CVE-ALL"), await countOf("CVE-SCAN-0"), await countOf("CVE-SCAN-2")],
        [images, 0, images],
      );
    });
  });
}
