import { encodeMessage } from "@drydock/shared/encode-message.ts";
import type * as message from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import {
  GetSummaryResponse,
  ReportEntry,
  VulnerabilityMatch,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import type { ReportQueries, VulnerabilityCounts } from "../ports/report-queries.ts";
import type { SizedAnswer } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { toMatch, toReportEntry, toTotals } from "./convert-report.ts";
import { readStorePage } from "./store-page.ts";
import { validateFind, validateReportList, validateSummary } from "./validate-report-list.ts";

/** How many of the worst images a summary names. */
const maxWorst = 10;
const maxRepositories = 100;

/** What lists of reports need. */
export interface ReportListDeps {
  queries: ReportQueries;
}

/** ListReports. */
export async function listReports(
  { queries }: ReportListDeps,
  request: message.ListReportsRequest,
): Promise<SizedAnswer<message.ListReportsResponse>> {
  const { filter, order, page } = validateReportList(request);
  const { messages, nextPageToken, bytes } = await readStorePage(page, {
    request: { ...filter, order },
    read: (part) => queries.list(filter, order, part),
    toMessage: toReportEntry,
    codec: ReportEntry,
  });
  return { response: { reports: messages, nextPageToken }, bytes };
}

/** FindVulnerability. */
export async function findVulnerability(
  { queries }: ReportListDeps,
  request: message.FindVulnerabilityRequest,
): Promise<SizedAnswer<message.FindVulnerabilityResponse>> {
  const { name, repository, page } = validateFind(request);
  let counts: VulnerabilityCounts = { images: 0, scanned: 0, notFullyCovered: 0, partlyListed: 0 };
  const { messages, nextPageToken, bytes } = await readStorePage(page, {
    request: { name, repository },
    read: async (part) => {
      const found = await queries.findVulnerability(name, repository, part);
      counts = found.counts;
      return found;
    },
    toMessage: toMatch,
    codec: VulnerabilityMatch,
  });
  const response: message.FindVulnerabilityResponse = {
    ...{ matches: messages, nextPageToken },
    ...{ imageCount: counts.images, scannedImageCount: counts.scanned },
    ...{ notFullyCoveredCount: counts.notFullyCovered, partlyListedCount: counts.partlyListed },
  };
  return { response, bytes };
}

/** GetSummary. */
export async function getSummary(
  { queries }: ReportListDeps,
  request: message.GetSummaryRequest,
): Promise<SizedAnswer<message.GetSummaryResponse>> {
  const { repository, days } = validateSummary(request);
  const summing = queries.summarize(repository);
  // of all repositories the sums are those of today
  const now = repository === "" ? (await summing).totals : undefined;
  const [summary, history] = await Promise.all([summing, queries.history(days, now)]);
  const worst = new AnswerPage(ReportEntry);
  for (const report of summary.worst.slice(0, maxWorst)) if (!worst.add(toReportEntry(report))) break;
  const response: message.GetSummaryResponse = {
    totals: toTotals(summary.totals),
    repositories: summary.repositories.slice(0, maxRepositories).map(({ repository: name, totals }) => ({
      repository: name,
      totals: toTotals(totals),
    })),
    repositoryCount: summary.repositoryCount,
    worst: worst.messages,
    days: history.slice(-days).map(({ day, totals }) => ({ day, totals: toTotals(totals) })),
  };
  return { response, bytes: encodeMessage(GetSummaryResponse, response).length };
}
