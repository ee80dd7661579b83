import { setImmediate as nextTurn } from "node:timers/promises";
import type { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import {
  type ExportReportRequest,
  type ExportReportResponse,
  ReportFormat,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { type ExportForm, exportForms, fileNameOf } from "../exports/export-form.ts";
import { toPieces } from "../exports/pieces.ts";
import { ReportSource, ReportTooLargeError } from "../exports/report-source.ts";
import { type FindReportDeps, type FoundReport, findReport } from "../usecases/find-report.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import type { ReportReader } from "./read-report.ts";
import { validateSubject } from "./validate-report.ts";

/** What an export may keep of a report, in bytes. */
export const maxExportBytes = 64 * 1024 * 1024;

const forms: Readonly<Partial<Record<ReportFormat, ExportForm>>> = {
  [ReportFormat.REPORT_FORMAT_UNSPECIFIED]: exportForms.json,
  [ReportFormat.REPORT_FORMAT_JSON]: exportForms.json,
  [ReportFormat.REPORT_FORMAT_SARIF]: exportForms.sarif,
  [ReportFormat.REPORT_FORMAT_CYCLONEDX]: exportForms.cyclonedx,
  [ReportFormat.REPORT_FORMAT_HARBOR]: exportForms.harbor,
  [ReportFormat.REPORT_FORMAT_CSV]: exportForms.csv,
  [ReportFormat.REPORT_FORMAT_HTML]: exportForms.html,
  [ReportFormat.REPORT_FORMAT_TABLE]: exportForms.table,
};

/** What exports need. */
export interface ExportDeps extends FindReportDeps {
  reader: ReportReader;
  memory: AnswerMemory;
  /** What comparisons and exports hold in memory together. */
  readings: ByteBudget;
}

/** ExportReport. What it holds in memory is what it keeps of the report, and a piece. */
export async function* exportReport(
  deps: ExportDeps,
  request: ExportReportRequest,
  call: CallContext,
): AsyncGenerator<ExportReportResponse> {
  const form = forms[request.format];
  if (form === undefined) throw fieldsInvalid([{ field: "format", description: "must be a ReportFormat" }]);
  const { subject, platform } = validateSubject(request.subject, "subject.");
  const found = await findReport(deps, subject, platform);
  const reading = await deps.readings.acquire(maxExportBytes, call.signal);
  try {
    const source = await open(deps.reader, found);
    reading.shrinkTo(source.bytes);
    let head = { mediaType: form.mediaType, fileName: fileNameOf(source.titled, form) };
    yield* deps.memory.stream(call, () => inTurns(toPieces(form.write(source))), {
      bytesOf: (text) => Buffer.byteLength(text),
      toMessage: (text): ExportReportResponse => {
        const message = { text, ...head };
        head = { mediaType: "", fileName: "" };
        return message;
      },
    });
  } finally {
    reading.shrinkTo(0);
  }
}

/** Each in a turn of the event loop of its own: what makes them waits for nothing. */
async function* inTurns(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) {
    await nextTurn();
    yield piece;
  }
}

async function open(reader: ReportReader, found: FoundReport): Promise<ReportSource> {
  try {
    return await ReportSource.open(reader.readAgain(found), {
      ...{ maxBytes: maxExportBytes, title: found },
      exceptionsOf: (image) => reader.exceptionsOf(image),
    });
  } catch (error) {
    if (!(error instanceof ReportTooLargeError)) throw error;
    const { name } = found;
    const way = "drydock.report.v1.ReportService/StreamReport";
    const text = `the report of ${name} has too many entries to be exported; ask for it by ${way}, which sends it in parts`;
    throw new ReasonedError("REPORT_TOO_LARGE", text, { metadata: { subject: name, method: way } });
  }
}
