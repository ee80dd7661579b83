import type { ByteBudget } from "@drydock/shared/byte-budget.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { Coverage as CoverageCode } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import * as message from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import {
  type ComparedFinding,
  type ComparisonFacts,
  compareHeadline,
  FindingComparison,
  leastCoverage,
  type Side,
} from "../domain/compare-findings.ts";
import { type Coverage, type IndexedReport, jobOfReport, type ReportReference } from "../domain/report-entry.ts";
import type { ReportQueries } from "../ports/report-queries.ts";
import type { ReportStore } from "../ports/report-store.ts";
import { type FindReportDeps, findReport, reportNotFound } from "../usecases/find-report.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { toCoverageCode, toSeverityCode } from "./convert-report.ts";
import { toIndexedReport } from "./indexed-report.ts";
import { unpackParts } from "./report-codec.ts";
import type { AskedReport } from "./validate-report.ts";
import { type AskedComparison, validateComparison } from "./validate-report-list.ts";

/** How many entries each list of an answer has, and how many bytes of them. */
const maxListed = 5_000;
const maxListBytes = 1024 * 1024;
/** How many findings a comparison holds, and how many reports it reads. */
const maxFindings = 200_000;
const maxReports = 2_000;
const readAtOnce = 8;

/** What a comparison may hold in memory, in bytes. */
const maxReadingBytes = 64 * 1024 * 1024;

/** What comparisons need. */
export interface CompareDeps extends FindReportDeps {
  reports: ReportStore;
  queries: Pick<ReportQueries, "standing">;
  memory: AnswerMemory;
  /** What comparisons and exports hold in memory together. */
  readings: ByteBudget;
  clock: Clock;
}

type Named = Pick<ReportReference, "reportId">;

/** A report on both sides, or on one of them. */
interface SidedReport {
  reportId: string;
  sides: Side[];
}

/** What is compared. */
interface Sides {
  reports: SidedReport[];
  images?: { base: number; head: number; added: number };
}

/** CompareReports. */
export async function compareReports(
  deps: CompareDeps,
  request: message.CompareReportsRequest,
  call: CallContext,
): Promise<message.CompareReportsResponse> {
  const asked = validateComparison(request, deps.clock.now());
  const reading = await deps.readings.acquire(maxReadingBytes, call.signal);
  try {
    const sides = "base" in asked ? await sidesOfReports(deps, asked) : await sidesOfRepository(deps, asked);
    const facts = await compare(deps, sides, call.signal);
    const { response, bytes } = toAnswer(facts, request.withUnchanged);
    return await deps.memory.roomFor(call).make(bytes, () => response);
  } finally {
    reading.shrinkTo(0);
  }
}

async function sidesOfReports(deps: CompareDeps, asked: Extract<AskedComparison, { base: unknown }>): Promise<Sides> {
  const find = ({ subject, platform }: AskedReport) => findReport(deps, subject, platform);
  const [base, head] = await Promise.all([find(asked.base), find(asked.head)]);
  return { reports: bySide([base], [head]) };
}

/** Each report once. */
function bySide(base: readonly Named[], head: readonly Named[]): SidedReport[] {
  const sides = new Map<string, Side[]>(base.map(({ reportId }) => [reportId, ["base"]]));
  for (const { reportId } of head) sides.set(reportId, [...(sides.get(reportId) ?? []), "head"]);
  return [...sides].map(([reportId, of]) => ({ reportId, sides: of }));
}

async function sidesOfRepository(
  { queries, clock }: CompareDeps,
  { repository, since }: Extract<AskedComparison, { repository: unknown }>,
): Promise<Sides> {
  const [base, head] = await Promise.all([
    queries.standing(repository, since),
    // what was scanned in this very millisecond stands, too
    queries.standing(repository, clock.now() + 1),
  ]);
  if (head.length === 0) throw reportNotFound(`no image of ${repository} has a report`, repository);
  const before = new Set(base.map(({ digest }) => digest));
  const reports = bySide(base, head);
  if (reports.length > maxReports) {
    const text = `${repository} has ${reports.length} reports to compare, of which ${maxReports} may be; compare two images by base and head`;
    throw new ReasonedError("REPORT_TOO_LARGE", text, { metadata: { subject: repository } });
  }
  const added = head.filter(({ digest }) => !before.has(digest)).length;
  return { reports, images: { base: base.length, head: head.length, added } };
}

async function compare(deps: CompareDeps, { reports, images }: Sides, signal: AbortSignal): Promise<ComparisonFacts> {
  const comparison = new FindingComparison();
  const coverages: { base: Coverage[]; head: Coverage[] } = { base: [], head: [] };
  for (let at = 0; at < reports.length; at += readAtOnce) {
    signal.throwIfAborted();
    const part = reports.slice(at, at + readAtOnce);
    const read = await Promise.all(part.map(async (sided) => ({ ...sided, report: await readIndexed(deps, sided) })));
    for (const { report, sides } of read) {
      for (const side of sides) {
        comparison.add(side, report.findings, report.digest);
        coverages[side].push(report.coverage);
      }
      if (comparison.size > maxFindings) throw tooMany();
    }
  }
  return {
    ...comparison.result(),
    ...{ baseCoverage: leastCoverage(coverages.base), headCoverage: leastCoverage(coverages.head) },
    ...(images !== undefined && { images }),
  };
}

/** @throws ReasonedError REPORT_NOT_FOUND: what is missing on one side must not count as gone or new. */
async function readIndexed({ reports }: CompareDeps, { reportId }: SidedReport): Promise<IndexedReport> {
  const gzip = await reports.read(reportId);
  if (gzip === undefined) throw reportNotFound(`the report ${reportId} is not there any more, or never was`, reportId);
  return toIndexedReport({ jobId: jobOfReport(reportId), number: 0, digest: "", indexDigest: "" }, unpackParts(gzip));
}

function tooMany(): ReasonedError {
  const text = `there are more than ${maxFindings} findings to compare; compare two images, and larger reports by StreamReport`;
  return new ReasonedError("REPORT_TOO_LARGE", text, { metadata: { most: String(maxFindings) } });
}

function toAnswer(facts: ComparisonFacts, withUnchanged: boolean) {
  const { added, gone, unchanged, baseCoverage, headCoverage, images } = facts;
  const lists = { added: pageOf(added), gone: pageOf(gone), unchanged: pageOf(withUnchanged ? unchanged : []) };
  const response: message.CompareReportsResponse = {
    added: lists.added.messages,
    gone: lists.gone.messages,
    unchanged: lists.unchanged.messages,
    addedCount: added.length,
    goneCount: gone.length,
    unchangedCount: unchanged.length,
    baseCoverage: toCode(baseCoverage),
    headCoverage: toCode(headCoverage),
    newImages: images?.added ?? 0,
    headline: compareHeadline(facts),
  };
  return { response, bytes: lists.added.bytes + lists.gone.bytes + lists.unchanged.bytes };
}

function pageOf(findings: readonly ComparedFinding[]): AnswerPage<message.ComparedFinding> {
  const page = new AnswerPage(message.ComparedFinding, maxListBytes);
  for (const { severity, ...finding } of findings.slice(0, maxListed)) {
    if (!page.add({ ...finding, severity: toSeverityCode(severity) })) break;
  }
  return page;
}

function toCode(coverage: Coverage | undefined): CoverageCode {
  return coverage === undefined ? CoverageCode.COVERAGE_UNSPECIFIED : toCoverageCode(coverage);
}
