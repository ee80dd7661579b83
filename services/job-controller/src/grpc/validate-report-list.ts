import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import {
  type CompareReportsRequest,
  type FindVulnerabilityRequest,
  type GetSummaryRequest,
  type ListReportsRequest,
  ReportOrder as OrderCode,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { isRepositoryGlob, repositoryGlobRule } from "@drydock/shared/repository-glob.ts";
import { vulnerabilityName } from "../domain/vulnerability-name.ts";
import type { ReportFilter, ReportOrder } from "../ports/report-queries.ts";
import type { Page } from "../usecases/page-token.ts";
import { fromCoverageCode, fromSeverityCode } from "./convert-report.ts";
import { type AskedReport, isRepository, repositoryRule, validateSubject } from "./validate-report.ts";

const maxPageSize = 1_000;
const maxDays = 365;
const usualDays = 30;
const dayMs = 24 * 60 * 60 * 1000;
/** Names of scanners and vulnerabilities: what is printed, without line ends; they are compared and nothing else. */
const namePattern = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u;

const nameRule = "must be at most 255 characters without control characters";
const timeRule = "must be a time from the year 1 to 9999";

const orders: Readonly<Record<number, ReportOrder>> = {
  [OrderCode.REPORT_ORDER_UNSPECIFIED]: "WORST",
  [OrderCode.REPORT_ORDER_WORST]: "WORST",
  [OrderCode.REPORT_ORDER_NEWEST]: "NEWEST",
  [OrderCode.REPORT_ORDER_OLDEST]: "OLDEST",
  [OrderCode.REPORT_ORDER_REPOSITORY]: "REPOSITORY",
  [OrderCode.REPORT_ORDER_EPSS]: "EPSS",
};

type Rule = [field: string, holds: boolean, rule: string];

/** Checks which reports are asked for. */
export function validateReportList(request: ListReportsRequest): {
  filter: ReportFilter;
  order: ReportOrder;
  page: Page;
} {
  const { repository, fixable, coverage, scanner, scannedAfter, scannedBefore, pageToken } = request;
  const vulnerability = vulnerabilityName(request.vulnerability);
  const leastSeverity = fromSeverityCode(request.leastSeverity);
  const knownCoverage = fromCoverageCode(coverage);
  const order = orders[request.order];
  const isUnset = (code: number) => code === 0;
  check([
    ...globRules(repository),
    ["least_severity", isUnset(request.leastSeverity) || leastSeverity !== undefined, "must be a Severity"],
    ["coverage", isUnset(coverage) || knownCoverage !== undefined, "must be a Coverage"],
    ["scanner", scanner === "" || namePattern.test(scanner), nameRule],
    ["vulnerability", vulnerability === "" || namePattern.test(vulnerability), nameRule],
    ["scanned_after", !isNoTime(scannedAfter), timeRule],
    ["scanned_before", !isNoTime(scannedBefore), timeRule],
    ["order", order !== undefined, "must be a ReportOrder"],
    ...sizeRules(request),
  ]);
  const filter = withoutUnset({
    repository,
    leastSeverity,
    fixable: fixable || undefined,
    knownExploited: request.knownExploited || undefined,
    coverage: knownCoverage,
    scanner: scanner || undefined,
    vulnerability: vulnerability || undefined,
    scannedAfter: scannedAfter?.getTime(),
    scannedBefore: scannedBefore?.getTime(),
  });
  return { filter, order: order ?? "WORST", page: { size: request.pageSize || 50, token: pageToken } };
}

/** Checks which vulnerability is looked for, and where. */
export function validateFind(request: FindVulnerabilityRequest): { name: string; repository: string; page: Page } {
  const { repository, pageSize, pageToken } = request;
  const name = vulnerabilityName(request.name);
  check([
    ["name", namePattern.test(name), name === "" ? "is missing, e.g. CVE-2023-4911" : nameRule],
    ...globRules(repository),
    ...sizeRules(request),
  ]);
  return { name, repository, page: { size: pageSize || 100, token: pageToken } };
}

/** Checks what a summary is asked for of. */
export function validateSummary({ repository, days }: GetSummaryRequest): { repository: string; days: number } {
  check([
    ...globRules(repository),
    ["days", days >= 0 && days <= maxDays, `must be from 1 to ${maxDays}, or left out for ${usualDays}`],
  ]);
  return { repository, days: days || usualDays };
}

/** What is to be compared. */
export type AskedComparison = { base: AskedReport; head: AskedReport } | { repository: string; since: number };

/**
 * Checks what is to be compared.
 * @param now in milliseconds since 1970
 */
export function validateComparison(request: CompareReportsRequest, now: number): AskedComparison {
  const { base, head, repository, since } = request;
  const areReports = base !== undefined || head !== undefined;
  const remedy = "set either base and head, or repository and since";
  check([
    ["repository", !areReports || repository === "", `must not be set beside base or head; ${remedy}`],
    ["repository", areReports || repository !== "", `is missing; ${remedy}`],
    ["repository", repository === "" || isRepository(repository), repositoryRule],
    ["base", !areReports || base !== undefined, "is missing beside head"],
    ["head", !areReports || head !== undefined, "is missing beside base"],
    ["since", !areReports || since === undefined, `must not be set beside base or head; ${remedy}`],
    ["since", !isNoTime(since), timeRule],
    ["since", isNoTime(since) || (since?.getTime() ?? 0) <= now, "must not be in the future"],
  ]);
  if (!areReports) return { repository, since: since?.getTime() ?? now - dayMs };
  return { base: validateSubject(base, "base."), head: validateSubject(head, "head.") };
}

function globRules(repository: string): Rule[] {
  return [["repository", isRepositoryGlob(repository), repositoryGlobRule]];
}

function sizeRules({ pageSize }: { pageSize: number }): Rule[] {
  const rule = `must be from 1 to ${maxPageSize}, or left out`;
  return [["page_size", pageSize >= 0 && pageSize <= maxPageSize, rule]];
}

function check(rules: Rule[]): void {
  const violations = rules
    .filter(([, holds]) => !holds)
    .map(([field, , description]): FieldViolation => ({ field, description }));
  if (violations.length > 0) throw fieldsInvalid(violations);
}

function isNoTime(time: Date | undefined): boolean {
  return time !== undefined && Number.isNaN(time.getTime());
}

function withoutUnset(filter: { [Key in keyof ReportFilter]: ReportFilter[Key] | undefined }): ReportFilter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined),
  ) as unknown as ReportFilter;
}
