import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  FindVulnerabilityRequest,
  GetSummaryRequest,
  ListReportsRequest,
  type ReportEntry,
  ReportServiceService as service,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { refusalOf } from "../support/refusal.ts";
import { type ReportRig, startReportRig } from "../support/report-rig.ts";
import { digestOf, imageReport } from "../support/sample-reports.ts";

const options = { deadlineMs: 10_000 };
const openssl = { vulnerability: "CVE-2026-1", package: "openssl", version: "3.0", fixedVersion: "3.1" };
const bash = { vulnerability: "CVE-2026-2", package: "bash", severity: 6 } as const;

describe("ReportService", () => {
  let rig: ReportRig;
  before(async () => {
    rig = await startReportRig();
  });
  after(() => rig.stop());
  beforeEach(async () => {
    await rig.under.redis.flushall();
  });

  describe("lists reports", () => {
    type ListFields = Parameters<typeof ListReportsRequest.fromPartial>[0];
    const page = (request: ListFields) =>
      unaryCall(rig.client, service.listReports, ListReportsRequest.fromPartial(request), options);

    async function list(request: ListFields): Promise<ReportEntry[]> {
      const all: ReportEntry[] = [];
      for (let pageToken = ""; all.length === 0 || pageToken !== ""; ) {
        const { reports, nextPageToken } = await page({ ...request, pageToken });
        all.push(...reports);
        if (nextPageToken === "") break;
        pageToken = nextPageToken;
      }
      return all;
    }

    const lettersOf = (reports: ReportEntry[]) => reports.map(({ digest }) => digest.charAt(7)).join("");

    async function putFour(): Promise<void> {
      await rig.put(imageReport("library/web:1.0", "1", [openssl]));
      rig.under.clock.advance(1_000);
      await rig.put(imageReport("library/web:2.0", "2", [openssl, bash]));
      rig.under.clock.advance(1_000);
      await rig.put(imageReport("library/db:1.0", "3", [], { coverage: 2, coverageNotes: ["unsupported_layer"] }));
      rig.under.clock.advance(1_000);
      await rig.put(imageReport("team/tool:1.0", "4"));
    }

    test("by what they must be, each with its coverage beside its counts", async () => {
      const begin = rig.under.clock.now();
      await putFour();
      const cases: Array<[request: ListFields, letters: string]> = [
        [{ repository: "library/web" }, "12"],
        [{ repository: "library/*" }, "123"],
        [{ repository: "**" }, "1234"],
        [{ leastSeverity: 6 }, "2"],
        [{ fixable: true }, "12"],
        [{ coverage: 2 }, "3"],
        [{ scanner: "Clair" }, "1234"],
        [{ scanner: "Trivy" }, ""],
        [{ vulnerability: "CVE-2026-2" }, "2"],
        [{ scannedAfter: new Date(begin + 1_000), scannedBefore: new Date(begin + 3_000) }, "23"],
        [{ repository: "library/*", coverage: 1, fixable: true }, "12"],
      ];
      for (const [request, letters] of cases) {
        const found = lettersOf(await list(request));
        assert.equal([...found].sort().join(""), letters, JSON.stringify(request));
      }
      const [entry] = await list({ coverage: 2 });
      assert.deepEqual([entry?.coverage, entry?.coverageNotes, entry?.summary?.total], [2, ["unsupported_layer"], 0]);
      assert.deepEqual(entry?.locations, [{ repository: "library/db", tags: ["1.0"] }]);
    });

    test("in each order", async () => {
      await putFour();
      const orders = { 0: "21", 1: "21", 2: "4321", 3: "1234", 4: "3124" } as const;
      for (const [order, letters] of Object.entries(orders)) {
        const found = lettersOf(await list({ order: Number(order) as 0 }));
        assert.equal(found.slice(0, letters.length), letters, `order ${order}`);
      }
    });

    test("page by page, and takes no token of another request", async () => {
      await putFour();
      for (const pageSize of [1, 3, 4, 1_000]) assert.equal(lettersOf(await list({ order: 3, pageSize })), "1234");
      const { nextPageToken } = await page({ order: 3, pageSize: 2 });
      assert.equal(lettersOf((await page({ order: 3, pageSize: 1, pageToken: nextPageToken })).reports), "3");
      const refused = await refusalOf(page({ order: 2, pageSize: 2, pageToken: nextPageToken }));
      assert.deepEqual(
        refused.violations.map(({ field }) => field),
        ["page_token"],
      );
    });
  });

  test("finds which images have a vulnerability, and says how many could have it", async () => {
    await rig.put(imageReport("library/web:1.0", "1", [openssl]));
    await rig.put(imageReport("library/web:2.0", "2", [openssl, { ...openssl, package: "libssl" }], { coverage: 2 }));
    await rig.put(imageReport("library/db:1.0", "3", [], { coverage: 3 }));
    await rig.under.reports.recordImages([{ repository: "team/web", digest: digestOf("1"), tags: ["stable"] }]);
    const find = (request: Parameters<typeof FindVulnerabilityRequest.fromPartial>[0]) =>
      unaryCall(rig.client, service.findVulnerability, FindVulnerabilityRequest.fromPartial(request), options);
    const all = await find({ name: "CVE-2026-1" });
    assert.deepEqual(
      all.matches
        .map((match) =>
          [match.repository, match.tags.join(), match.package, match.version, match.fixedVersion, match.coverage].join(
            " ",
          ),
        )
        .sort(),
      [
        "library/web 1.0 openssl 3.0 3.1 1",
        "library/web 2.0 libssl 3.0 3.1 2",
        "library/web 2.0 openssl 3.0 3.1 2",
        "team/web stable openssl 3.0 3.1 1",
      ],
    );
    assert.deepEqual([all.imageCount, all.scannedImageCount, all.notFullyCoveredCount], [2, 3, 2]);
    assert.deepEqual([all.partlyListedCount, all.matches.map((match) => match.locationCount)], [0, [2, 2, 1, 1]]);
    const some = await find({ name: "CVE-2026-1", repository: "team/**" });
    assert.deepEqual(
      some.matches.map(({ digest }) => digest),
      [digestOf("1")],
    );
    assert.equal((await find({ name: " cve-2026-1" })).imageCount, 2, "however people write a CVE");
    const none = await find({ name: "CVE-2026-9" });
    assert.deepEqual([none.matches, none.imageCount, none.scannedImageCount, none.notFullyCoveredCount], [[], 0, 3, 2]);
    const seen: string[] = [];
    for (let pageToken = "", pages = 0; pages === 0 || pageToken !== ""; pages++) {
      const part = await find({ name: "CVE-2026-1", pageSize: 1, pageToken });
      seen.push(...part.matches.map(({ repository, package: name, digest }) => `${repository} ${name} ${digest}`));
      pageToken = part.nextPageToken;
    }
    assert.equal(new Set(seen).size, 4);
    assert.equal(seen.length, 4);
  });

  test("sums up all images, by repository and by day, coverage beside the counts", async () => {
    await rig.put(imageReport("library/web:1.0", "1", [openssl, bash]));
    await rig.put(imageReport("library/db:1.0", "3", [], { coverage: 3 }));
    await rig.under.reportQueries.noteDay();
    const request = GetSummaryRequest.fromPartial({});
    const { totals, repositories, repositoryCount, worst, days } = await unaryCall(
      rig.client,
      service.getSummary,
      request,
      options,
    );
    assert.deepEqual([totals?.images, totals?.findings, totals?.fixable], [2, 2, 1]);
    assert.deepEqual(totals?.byCoverage, [
      { coverage: 1, count: 1 },
      { coverage: 3, count: 1 },
    ]);
    assert.deepEqual(totals?.imagesBySeverity, [
      { severity: 6, count: 1 },
      { severity: 0, count: 1 },
    ]);
    assert.deepEqual(
      repositories.map(({ repository }) => repository),
      ["library/web", "library/db"],
    );
    assert.equal(repositoryCount, 2);
    assert.equal(worst[0]?.digest, digestOf("1"));
    assert.equal(days.length, 1);
    assert.deepEqual(days[0]?.totals?.byCoverage, totals?.byCoverage);
  });

  test("refuses what is wrong, and names each field", async () => {
    const list = ListReportsRequest.fromPartial({
      ...{ repository: "a b", leastSeverity: 7 as 6, coverage: 9 as 1, scanner: "\n", vulnerability: "x".repeat(300) },
      ...{ order: 9 as 1, pageSize: 1_001, scannedAfter: undefined },
    });
    const refused = await refusalOf(unaryCall(rig.client, service.listReports, list, options));
    const fields = ["coverage", "least_severity", "order", "page_size", "repository", "scanner", "vulnerability"];
    assert.deepEqual(refused.violations.map(({ field }) => field).sort(), fields);
    const find = FindVulnerabilityRequest.fromPartial({ pageSize: -1 });
    const { violations } = await refusalOf(unaryCall(rig.client, service.findVulnerability, find, options));
    assert.deepEqual(
      violations.map(({ field }) => field),
      ["name", "page_size"],
    );
    const summary = GetSummaryRequest.fromPartial({ days: 366 });
    assert.equal(
      (await refusalOf(unaryCall(rig.client, service.getSummary, summary, options))).violations[0]?.field,
      "days",
    );
  });
});
