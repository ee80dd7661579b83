import { ReasonedError } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { ReportQueries } from "../ports/report-queries.ts";
import type { FoundReport } from "../usecases/find-report.ts";
import { findReport } from "../usecases/find-report.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import { type CompareDeps, compareReports } from "./compare-reports.ts";
import { type ExportDeps, exportReport } from "./export-report.ts";
import type { PackedPart } from "./read-report.ts";
import { findVulnerability, getSummary, listReports, type ReportListDeps } from "./report-lists.ts";
import { type AskedReport, validateReport } from "./validate-report.ts";

/** What the report service needs. */
export interface ReportServiceDeps extends CompareDeps, ReportListDeps, Omit<ExportDeps, "reports"> {
  memory: AnswerMemory;
  queries: ReportQueries;
}

/** drydock.report.v1.ReportService. */
export function createReportService(deps: ReportServiceDeps): UntypedServiceImplementation {
  const { memory, reader } = deps;
  const find = ({ subject, platform }: AskedReport) => findReport(deps, subject, platform);
  return {
    getReport: unary((request: message.GetReportRequest, call) =>
      memory.answer<message.GetReportResponse>(call, async () => {
        const found = await find(validateReport(request));
        const unpacked = await reader.whole(found);
        if (unpacked === undefined) throw tooLarge(found);
        return { response: { report: unpacked.report, others: found.others }, bytes: unpacked.bytes };
      }),
    ),
    streamReport: serverStream(async function* (request: message.StreamReportRequest, call: CallContext) {
      const found = await find(validateReport(request));
      yield* memory.stream(call, () => reader.packedParts(found), partMessages);
    }),
    listReports: unary((request: message.ListReportsRequest, call) =>
      memory.answer(call, () => listReports(deps, request)),
    ),
    findVulnerability: unary((request: message.FindVulnerabilityRequest, call) =>
      memory.answer(call, () => findVulnerability(deps, request)),
    ),
    getSummary: unary((request: message.GetSummaryRequest, call) =>
      memory.answer(call, () => getSummary(deps, request)),
    ),
    compareReports: unary((request: message.CompareReportsRequest, call) => compareReports(deps, request, call)),
    exportReport: serverStream((request: message.ExportReportRequest, call) => exportReport(deps, request, call)),
  };
}

/** How the parts of a report become messages. */
const partMessages = {
  bytesOf: ({ bytes }: PackedPart) => bytes,
  toMessage: ({ decode }: PackedPart): message.StreamReportResponse => ({ part: decode() }),
};

function tooLarge({ name }: FoundReport): ReasonedError {
  const way = "drydock.report.v1.ReportService/StreamReport";
  const text = `the report of ${name} is larger than one answer may be; ask for it by ${way}, which sends it in parts`;
  return new ReasonedError("REPORT_TOO_LARGE", text, { metadata: { subject: name, method: way } });
}
