import { ReasonedError } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { Coverage, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import type { ReportQueries } from "../ports/report-queries.ts";
import type { ReportStore } from "../ports/report-store.ts";
import { type FindReportDeps, type FoundReport, findReport, reportNotFound } from "../usecases/find-report.ts";
import { toVerdictMessage } from "./convert-policy.ts";
import type { PolicyDecorator } from "./policy-decorator.ts";
import { unpackParts } from "./report-codec.ts";
import { validateCheckImage } from "./validate-policy.ts";

/** What the check of an image needs. */
export interface CheckImageDeps extends FindReportDeps {
  reports: FindReportDeps["reports"] & Pick<ReportStore, "read">;
  queries: Pick<ReportQueries, "list">;
  decorator: Pick<PolicyDecorator, "examine">;
}

/** Whether the image may run, by its newest report. An image without one may not: it may be anything. */
export async function checkImage(
  deps: CheckImageDeps,
  request: message.CheckImageRequest,
  signal: AbortSignal,
): Promise<message.CheckImageResponse> {
  const { repository } = request;
  const { subject, platform } = validateCheckImage(request);
  try {
    const found = await findReport(deps, subject, platform);
    if (request.digest !== "") await requireRepository(deps, repository);
    const gzip = await open(deps, found);
    const { reading, verdict } = await deps.decorator.examine(() => decoded(unpackParts(gzip)), repository, signal);
    const { artifact, headline, coverage, generatedAt } = reading.report;
    const line = `no policy holds for ${repository}; the newest report says: ${oneLine(headline)}`;
    return {
      allowed: verdict?.passes ?? true,
      message: verdict === undefined ? line : `${found.name} ${verdict.message}`,
      verdict: verdict && toVerdictMessage(verdict),
      ...{ reportId: found.reportId, digest: artifact?.digest ?? "", scannedAt: generatedAt, coverage },
    };
  } catch (error) {
    if (error instanceof ReasonedError && error.reason === "REPORT_NOT_FOUND") return withoutReport(request, error);
    throw error;
  }
}

/**
 * Policies go by repository, so that a misspelt one would have none.
 * @throws ReasonedError REPORT_NOT_FOUND when no image of the repository is known
 */
async function requireRepository({ queries }: CheckImageDeps, repository: string): Promise<void> {
  const { items } = await queries.list({ repository }, "REPOSITORY", { size: 1, token: "" });
  if (items.length > 0) return;
  const text = `no image of ${repository} is known, though the digest is; the name is without the registry's host`;
  throw reportNotFound(text, repository);
}

async function open({ reports }: CheckImageDeps, { reportId, name }: FoundReport): Promise<AsyncIterable<Buffer>> {
  const gzip = await reports.read(reportId);
  if (gzip === undefined) throw reportNotFound(`the report of ${name} is not there any more`, name);
  return gzip;
}

async function* decoded(parts: AsyncIterable<Buffer>): AsyncGenerator<Report> {
  for await (const part of parts) yield Report.decode(part);
}

function withoutReport(request: message.CheckImageRequest, { message }: ReasonedError): message.CheckImageResponse {
  const { repository, tag, digest, platform } = request;
  const parameters = { repository, ...(digest === "" ? { tag } : { digest }), ...(platform !== "" && { platform }) };
  const way = `launch IMAGE_SCAN with the parameters ${JSON.stringify(parameters)} by drydock.job.v1.JobService/LaunchJob`;
  return {
    allowed: false,
    message: `${message}; ${way}, and ask again when the job is SUCCESS`,
    ...{ verdict: undefined, reportId: "", digest: "", scannedAt: undefined, coverage: Coverage.COVERAGE_UNSPECIFIED },
  };
}
