import { ReasonedError } from "@drydock/shared/errors.ts";
import type { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { GetReportRequest, GetReportResponse } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { JobPool } from "../ports/job-pool.ts";
import type { ReportStore } from "../ports/report-store.ts";
import { unpackReport } from "./report-codec.ts";
import { validateReportSubject } from "./validate.ts";

/** drydock.report.v1.ReportService. */
export function createReportService(deps: { reports: ReportStore; pool: JobPool }): UntypedServiceImplementation {
  const { reports, pool } = deps;
  return {
    getReport: unary(async (request: GetReportRequest): Promise<GetReportResponse> => {
      const subject = validateReportSubject(request);
      if ("digest" in subject) {
        const { digest } = subject;
        return { report: await decode(await reports.byDigest(digest), `no image ${digest} was scanned`, digest) };
      }
      const { jobId } = subject;
      const gzip = await reports.byJob(jobId);
      const status = gzip === undefined ? (await pool.get(jobId)).status : "";
      return { report: await decode(gzip, `job ${jobId} is ${status} and has made no report`, jobId) };
    }),
  };
}

async function decode(gzip: Buffer | undefined, missing: string, name: string): Promise<Report> {
  if (gzip === undefined) {
    throw new ReasonedError("REPORT_NOT_FOUND", missing, {
      metadata: { subject: name },
      resource: { type: "drydock.report.v1.Report", name },
    });
  }
  return unpackReport(gzip);
}
