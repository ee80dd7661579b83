import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { PolicyVerdict, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  FindVulnerabilityRequest,
  GetReportRequest,
  GetSummaryRequest,
  ListReportsRequest,
  type ReportEntry,
  ReportServiceService as service,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import { refusalOf } from "../support/refusal.ts";
import { type ReportRig, startReportRig } from "../support/report-rig.ts";
import { digestOf, imageReport, sampleReport } from "../support/sample-reports.ts";

const options = { deadlineMs: 10_000 };

/** A report of an image of an index. */
function platformReport(architecture: string, letter: string): Report {
  const artifact = {
    ...{ repository: "library/multi", tags: ["1.0"], digest: digestOf(letter), indexDigest: digestOf("f") },
    platform: { os: "linux", architecture },
  };
  return sampleReport([], { artifact });
}

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

  const get = (request: Parameters<typeof GetReportRequest.fromPartial>[0]) =>
    unaryCall(rig.client, service.getReport, GetReportRequest.fromPartial(request), options);
  const byDigest = (letter: string) => ({ subject: { $case: "digest", value: digestOf(letter) } }) as const;
  const byJob = (jobId: string) => ({ subject: { $case: "jobId", value: jobId } }) as const;
  const architectureOf = ({ report }: { report?: Report | undefined }) => report?.artifact?.platform?.architecture;

  describe("gives a report", () => {
    test("by its job, by its image's digest, and by a tag", async () => {
      const jobId = await rig.put(imageReport("library/web:1.0", "1", [openssl]));
      for (const request of [byJob(jobId), byDigest("1"), { repository: "library/web", tag: "1.0" }]) {
        const { report, others } = await get(request);
        assert.equal(report?.findings.length, 1);
        assert.deepEqual(others, []);
      }
    });

    test("by a tag that came later, and by a tag that moved no more", async () => {
      await rig.put(imageReport("library/web:1.0", "1"));
      await rig.under.reports.recordImages([{ repository: "team/web", digest: digestOf("1"), tags: ["stable"] }]);
      assert.equal((await get({ repository: "team/web", tag: "stable" })).report?.artifact?.digest, digestOf("1"));
      await rig.put(imageReport("library/web:1.0", "2"));
      assert.equal((await get({ repository: "library/web", tag: "1.0" })).report?.artifact?.digest, digestOf("2"));
    });

    test("of the platform that is asked for, else of linux/amd64, and names the others", async () => {
      const lease = await rig.jobs.startJob();
      await rig.put(platformReport("arm64", "1"), { lease });
      await rig.put(platformReport("amd64", "2"), { lease, number: 1 });
      for (const request of [byJob(lease.jobId), byDigest("f"), { repository: "library/multi", tag: "1.0" }]) {
        const usual = await get(request);
        assert.equal(architectureOf(usual), "amd64");
        assert.deepEqual(
          usual.others.map(({ platform, digest }) => [platform, digest]),
          [["linux/arm64", digestOf("1")]],
        );
        assert.equal(architectureOf(await get({ ...request, platform: "linux/aarch64" })), "arm64");
        const { reason, message } = await refusalOf(get({ ...request, platform: "linux/s390x" }));
        assert.equal(reason, "REPORT_NOT_FOUND");
        assert.match(message, /no report for linux\/s390x, but for linux\/a\w+64, linux\/a\w+64$/);
      }
    });

    test("or says what is known where there is none", async () => {
      const { jobId } = await rig.jobs.startJob();
      const told: Array<[request: Parameters<typeof get>[0], message: RegExp]> = [
        [byJob(jobId), /^job \w+ is RUNNING and has made no report$/],
        [byDigest("9"), /^no image sha256:9{64} was scanned, or its report is past its keep time$/],
        [
          { repository: "library/web", tag: "9" },
          /^no report is known of library\/web:9: nothing was scanned by that tag/,
        ],
      ];
      for (const [request, message] of told) {
        const refused = await refusalOf(get(request));
        assert.deepEqual([refused.code, refused.reason], ["NOT_FOUND", "REPORT_NOT_FOUND"]);
        assert.match(refused.message, message);
        assert.equal(refused.resource?.type, "drydock.report.v1.Report");
      }
      assert.equal((await refusalOf(get(byJob("1jd5m9q2c00000")))).reason, "JOB_NOT_FOUND");
    });

    test("in parts that are the report", async () => {
      const jobId = await rig.put(imageReport("library/web:1.0", "1", [openssl, bash]));
      const parts = await Array.fromAsync(
        serverStreamCall(rig.client, service.streamReport, { ...GetReportRequest.fromPartial(byJob(jobId)) }, options),
      );
      const merged = Report.decode(
        Buffer.concat(parts.map(({ part }) => Report.encode(part ?? Report.fromPartial({})).finish())),
      );
      assert.deepEqual(merged, (await get(byJob(jobId))).report);
    });

    test("with what is known of its vulnerabilities and its policies now, whatever its worker said", async () => {
      const forged = imageReport("library/web:1.0", "1", [openssl, bash], {
        verdict: { decision: 1, policies: ["forged"] },
      });
      for (const vulnerability of forged.vulnerabilities)
        Object.assign(vulnerability, { knownExploited: true, epss: 1 });
      const jobId = await rig.put(forged);
      const bare = await get(byJob(jobId));
      assert.equal(bare.report?.verdict, undefined);
      assert.deepEqual(
        bare.report?.vulnerabilities.map(({ knownExploited, epss }) => [knownExploited, epss]),
        [
          [false, 0],
          [false, 0],
        ],
      );
      rig.decorator = {
        decorate: ({ vulnerabilities }) => {
          for (const one of vulnerabilities)
            if (one.name === "CVE-2026-2") Object.assign(one, { knownExploited: true, epss: 0.5 });
        },
        judge: async (parts) => {
          const found = (await Array.fromAsync(parts())).flatMap(({ vulnerabilities }) => vulnerabilities);
          const exploited = found.filter(({ knownExploited }) => knownExploited).length;
          return PolicyVerdict.fromPartial({ decision: 2, policies: ["p"], reasonCount: exploited });
        },
      };
      try {
        const { report } = await get(byJob(jobId));
        assert.deepEqual(
          report?.vulnerabilities.map(({ epss }) => epss),
          [0, 0.5],
        );
        assert.equal(report?.verdict?.reasonCount, 1);
        const request = GetReportRequest.fromPartial(byJob(jobId));
        const parts = await Array.fromAsync(serverStreamCall(rig.client, service.streamReport, request, options));
        assert.deepEqual(parts.at(-1)?.part?.verdict?.policies, ["p"], "the verdict is the last part");
        assert.deepEqual(parts.map(({ part }) => part?.verdict).filter(Boolean).length, 1);
      } finally {
        rig.decorator = { decorate() {}, judge: async () => undefined };
      }
    });
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
    const some = await find({ name: "CVE-2026-1", repository: "team/**" });
    assert.deepEqual(
      some.matches.map(({ digest }) => digest),
      [digestOf("1")],
    );
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
