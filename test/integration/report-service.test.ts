import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { undecorated } from "@drydock/job-controller/grpc/read-report.ts";
import { PolicyVerdict, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  GetReportRequest,
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
        [{ repository: "library/web", tag: "9" }, /^no scan has come across library\/web:9: launch one/],
      ];
      for (const [request, message] of told) {
        const refused = await refusalOf(get(request));
        assert.deepEqual([refused.code, refused.reason], ["NOT_FOUND", "REPORT_NOT_FOUND"]);
        assert.match(refused.message, message);
        assert.equal(refused.resource?.type, "drydock.report.v1.Report");
      }
      assert.equal((await refusalOf(get(byJob("1jd5m9q2c00000")))).reason, "JOB_NOT_FOUND");
      await rig.under.reports.recordImages([{ repository: "library/web", digest: digestOf("9"), tags: ["9"] }]);
      const { message } = await refusalOf(get({ repository: "library/web", tag: "9" }));
      assert.match(message, /^library\/web:9 is known to be sha256:9{64}, which was not scanned, not yet, or its/);
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
        ...undecorated,
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
        rig.decorator = undecorated;
      }
    });
  });
});
