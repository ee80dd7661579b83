import { ReasonedError } from "@drydock/shared/errors.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type * as message from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { JobPool } from "../ports/job-pool.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import { unpackParts, unpackReport } from "./report-codec.ts";
import { validateReportSubject } from "./validate.ts";

/** What the report service needs. */
export interface ReportServiceDeps {
  reports: ReportStore;
  pool: JobPool;
  memory: AnswerMemory;
}

type Subject = Pick<message.GetReportRequest, "subject">;

/** drydock.report.v1.ReportService. */
export function createReportService(deps: ReportServiceDeps): UntypedServiceImplementation {
  return {
    getReport: unary((request: message.GetReportRequest, call) =>
      deps.memory.answer<message.GetReportResponse>(call, async () => {
        const { gzip, name } = await find(deps, request);
        const unpacked = await unpackReport(gzip);
        if (unpacked === undefined) throw tooLarge(name);
        return { response: { report: unpacked.report, others: [] }, bytes: unpacked.bytes };
      }),
    ),
    streamReport: serverStream(async function* (
      request: message.StreamReportRequest,
      call,
    ): AsyncGenerator<message.StreamReportResponse> {
      const { gzip } = await find(deps, request);
      yield* deps.memory.stream(call, () => unpackParts(gzip), partMessages);
    }),
  };
}

/** How the parts of a report become messages. */
const partMessages = {
  bytesOf: (part: Buffer) => part.length,
  toMessage: (part: Buffer): message.StreamReportResponse => ({ part: Report.decode(part) }),
};

/** @throws ReasonedError FIELD_INVALID, REPORT_NOT_FOUND, JOB_NOT_FOUND */
async function find({ reports, pool }: ReportServiceDeps, asked: Subject) {
  const subject = validateReportSubject(asked);
  if ("digest" in subject) {
    const { digest } = subject;
    const [newest] = await reports.newestOf(digest);
    const gzip = newest === undefined ? undefined : await reports.read(newest.reportId);
    if (gzip === undefined) throw notFound(`no image ${digest} was scanned`, digest);
    return { gzip, name: digest };
  }
  const { jobId } = subject;
  const gzip = await reports.read(jobId);
  if (gzip === undefined) {
    const { status } = await pool.peek(jobId);
    throw notFound(`job ${jobId} is ${status} and has made no report`, jobId);
  }
  return { gzip, name: jobId };
}

function notFound(text: string, name: string): ReasonedError {
  return new ReasonedError("REPORT_NOT_FOUND", text, {
    metadata: { subject: name },
    resource: { type: "drydock.report.v1.Report", name },
  });
}

function tooLarge(name: string): ReasonedError {
  const way = "drydock.report.v1.ReportService/StreamReport";
  const text = `the report of ${name} is larger than one answer may be; ask for it by ${way}, which sends it in parts`;
  return new ReasonedError("REPORT_TOO_LARGE", text, { metadata: { subject: name, method: way } });
}
