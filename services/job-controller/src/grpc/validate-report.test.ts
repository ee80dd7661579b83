import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type FieldViolation, ReasonedError } from "@drydock/shared/errors.ts";
import { Severity as SeverityCode } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  CompareReportsRequest,
  FindVulnerabilityRequest,
  GetReportRequest,
  GetSummaryRequest,
  ListReportsRequest,
  ReportSubject,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import fc from "fast-check";
import { validateCounts, validateReport, validateSubject } from "./validate-report.ts";
import { validateComparison, validateFind, validateReportList, validateSummary } from "./validate-report-list.ts";

const now = Date.parse("2026-12-01T00:00:00Z");
const digest = `sha256:${"a".repeat(64)}`;
const jobId = "1jd5m9q2c00000";

function fieldsOf(call: () => unknown): string[] {
  return violationsFrom(call).map(({ field }) => field);
}

function violationsFrom(call: () => unknown): readonly FieldViolation[] {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof ReasonedError && error.reason === "FIELD_INVALID", String(error));
    return error.facts.violations ?? [];
  }
  return [];
}

const subject = (fields: Partial<ReportSubject>) => ReportSubject.fromPartial(fields);

describe("what a report is asked for by", () => {
  test("is a job, a digest, or a repository and a tag", () => {
    const ask = (fields: Parameters<typeof GetReportRequest.fromPartial>[0]) =>
      validateReport(GetReportRequest.fromPartial(fields)).subject;
    assert.deepEqual(ask({ subject: { $case: "jobId", value: jobId } }), { kind: "job", jobId });
    assert.deepEqual(ask({ subject: { $case: "digest", value: digest } }), { kind: "digest", digest });
    assert.deepEqual(ask({ repository: "a/b", tag: "1" }), { kind: "tag", repository: "a/b", tag: "1" });
  });

  test("is one of them alone, and each field keeps its rule", () => {
    const refused: Array<[fields: Parameters<typeof GetReportRequest.fromPartial>[0], names: string[]]> = [
      [{}, ["job_id"]],
      [{ subject: { $case: "jobId", value: "" } }, ["job_id"]],
      [{ subject: { $case: "jobId", value: jobId }, repository: "a", tag: "1" }, ["job_id"]],
      [{ subject: { $case: "jobId", value: "x" } }, ["job_id"]],
      [{ subject: { $case: "digest", value: "sha256:x" } }, ["digest"]],
      [{ repository: "a" }, ["tag"]],
      [{ tag: "1" }, ["repository"]],
      [{ repository: "a b", tag: "-", platform: "linux" }, ["repository", "tag", "platform"]],
      [{ repository: "https://x/a", tag: "1" }, ["repository"]],
    ];
    for (const [fields, names] of refused) {
      assert.deepEqual(
        fieldsOf(() => validateReport(GetReportRequest.fromPartial(fields))),
        names,
        JSON.stringify(fields),
      );
    }
  });

  test("is named by the path of its field", () => {
    assert.deepEqual(
      fieldsOf(() => validateSubject(undefined, "base.")),
      ["base.report_id"],
    );
    assert.deepEqual(
      fieldsOf(() => validateSubject(subject({ digest: "x", platform: "!" }), "base.")),
      ["base.digest", "base.platform"],
    );
    for (const reportId of [`${jobId}~0`, `${jobId}~100`, `${jobId}~`, `${jobId}~1~2`, "~1", `${jobId}~1\n`]) {
      assert.deepEqual(
        fieldsOf(() => validateSubject(subject({ reportId }), "")),
        ["report_id"],
        reportId,
      );
    }
    assert.equal(validateSubject(subject({ reportId: `${jobId}~12` }), "").subject.kind, "report");
  });
});

describe("the summary of a report", () => {
  const { SEVERITY_HIGH, SEVERITY_LOW } = SeverityCode;
  const summary = (total: number, high: number, low: number) => ({
    total,
    bySeverity: [
      { severity: SEVERITY_HIGH, count: high },
      { severity: SEVERITY_LOW, count: low },
    ],
  });
  const violationOf = (claimed: Parameters<typeof validateCounts>[0]) =>
    violationsFrom(() => validateCounts(claimed, { HIGH: 2, LOW: 3 }));

  test("counts the findings that it has and those that it leaves out, or is not there", () => {
    validateCounts(summary(5, 2, 3), { HIGH: 2, LOW: 3 });
    validateCounts({ total: 0, bySeverity: [] }, {});
    validateCounts(undefined, { HIGH: 2 });
  });

  test("is refused when it counts others, with how many", () => {
    const rule = "it must count the report's findings and what left_out says, by severity and in all";
    assert.deepEqual(violationOf(summary(4, 2, 2)), [
      { field: "gzip_chunk", description: `has a summary of 4 instead of 5 findings; ${rule}` },
    ]);
    assert.deepEqual(violationOf(summary(5, 1, 4)), [
      { field: "gzip_chunk", description: `has a summary of 4 LOW instead of 3 findings; ${rule}` },
    ]);
    assert.match(violationOf({ total: 5, bySeverity: [] })[0]?.description ?? "", /of 0 LOW instead of 3/);
  });
});

describe("what is compared", () => {
  const fields = (request: Parameters<typeof CompareReportsRequest.fromPartial>[0]) =>
    fieldsOf(() => validateComparison(CompareReportsRequest.fromPartial(request), now));

  test("is two reports, or a repository since a time, by default a day ago", () => {
    assert.deepEqual(fields({ base: { digest }, head: { jobId } }), []);
    const asked = validateComparison(CompareReportsRequest.fromPartial({ repository: "a" }), now);
    assert.deepEqual(asked, { repository: "a", since: now - 24 * 60 * 60 * 1000 });
  });

  test("is not both, nor half of one", () => {
    assert.deepEqual(fields({}), ["repository"]);
    assert.deepEqual(fields({ base: { digest } }), ["head"]);
    assert.deepEqual(fields({ head: { digest } }), ["base"]);
    assert.deepEqual(fields({ base: { digest }, head: { digest }, repository: "a", since: new Date(0) }), [
      "repository",
      "since",
    ]);
    assert.deepEqual(fields({ repository: "a/*" }), ["repository"]);
    assert.deepEqual(fields({ repository: "a", since: new Date(now + 1) }), ["since"]);
    assert.deepEqual(fields({ repository: "a", since: new Date(Number.NaN) }), ["since"]);
    assert.deepEqual(fields({ base: {}, head: { digest } }), ["base.report_id"]);
  });
});

describe("whatever comes", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "a/b", "*", "CVE-2026-1", digest, jobId));
  const number = fc.oneof(fc.integer(), fc.constantFrom(0, 1, 1_000, 1_001, -1));
  const time = fc.option(fc.date({ noInvalidDate: false }), { nil: undefined });
  const code = fc.integer({ min: -2, max: 9 }) as fc.Arbitrary<0>;
  const record = fc.record({
    ...{ repository: text, tag: text, name: text, scanner: text, vulnerability: text, platform: text, pageToken: text },
    ...{ jobId: text, digest: text, reportId: text, days: number, pageSize: number, fixable: fc.boolean() },
    ...{ leastSeverity: code, coverage: code, order: code, scannedAfter: time, scannedBefore: time, since: time },
  });

  test("is taken or refused as FIELD_INVALID that names fields and rules, never otherwise", () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const calls: Array<() => unknown> = [
          () => validateReport(GetReportRequest.fromPartial({ ...a, subject: { $case: "jobId", value: a.jobId } })),
          () => validateSubject(subject(a), ""),
          () => validateReportList(ListReportsRequest.fromPartial(a)),
          () => validateFind(FindVulnerabilityRequest.fromPartial(a)),
          () => validateSummary(GetSummaryRequest.fromPartial(a)),
          () => validateComparison(CompareReportsRequest.fromPartial({ base: a, head: b }), now),
          () => validateComparison(CompareReportsRequest.fromPartial(a), now),
        ];
        for (const call of calls) for (const field of fieldsOf(call)) assert.match(field, /^[a-z_.]+$/);
      }),
      { numRuns: 500 },
    );
  });

  test("that was taken has nothing in it that is too long or not what it is called", () => {
    fc.assert(
      fc.property(record, (fields) => {
        if (fieldsOf(() => validateReportList(ListReportsRequest.fromPartial(fields))).length > 0) return;
        const { filter, page } = validateReportList(ListReportsRequest.fromPartial(fields));
        assert.ok(page.size >= 1 && page.size <= 1_000);
        assert.match(filter.repository, /^[\w./*?-]{0,255}$/);
        for (const at of [filter.scannedAfter, filter.scannedBefore]) assert.ok(!Number.isNaN(at));
      }),
    );
  });
});
