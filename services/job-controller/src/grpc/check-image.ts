import type * as message from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { Coverage, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { choosePlatform } from "../domain/choose-platform.ts";
import { coverageClause } from "../domain/verdict-words.ts";
import type { KnownReport, ReportStore } from "../ports/report-store.ts";
import type { ReportJudge } from "../usecases/report-judge.ts";
import { toVerdictMessage } from "./convert-policy.ts";
import { unpackParts } from "./report-codec.ts";
import { readParts, toReportedImage } from "./report-decorator.ts";
import { validateCheckImage } from "./validate-policy.ts";

/** What the check of an image needs. */
export interface CheckImageDeps {
  reports: Pick<ReportStore, "newestOf" | "newestOfTag" | "read">;
  judge: Pick<ReportJudge, "judge">;
}

/** Whether the image may run, by its newest report. */
export async function checkImage(
  { reports, judge }: CheckImageDeps,
  request: message.CheckImageRequest,
): Promise<message.CheckImageResponse> {
  validateCheckImage(request);
  const { repository, tag, digest, platform } = request;
  const known = digest === "" ? await reports.newestOfTag(repository, tag) : await reports.newestOf(digest);
  const { chosen } = choosePlatform(known, platform) ?? {};
  const gzip = chosen && (await reports.read(chosen.reportId));
  if (chosen === undefined || gzip === undefined) return withoutReport(request, known);
  const reading = await readParts(decoded(unpackParts(gzip)));
  const image = toReportedImage(reading, repository);
  const verdict = await judge.judge(image);
  const { headline, coverage, generatedAt } = reading.report;
  const line = `no policy holds for ${repository}; the newest report says: ${headline || coverageClause(image)}`;
  return {
    allowed: verdict?.passes ?? true,
    message: `${nameOf(request)} ${verdict?.message ?? line}`,
    verdict: verdict && toVerdictMessage(verdict),
    ...{ reportId: chosen.reportId, digest: image.digest, scannedAt: generatedAt, coverage },
  };
}

/** What was not scanned may be anything. */
function withoutReport(request: message.CheckImageRequest, known: readonly KnownReport[]): message.CheckImageResponse {
  const { repository, tag, digest, platform } = request;
  const platforms = [...new Set(known.map((report) => report.platform || "an unknown platform"))].join(", ");
  const why = platforms === "" ? "was not scanned" : `was scanned for ${platforms}, and not for ${platform}`;
  const parameters = { repository, ...(digest === "" ? { tag } : { digest }), ...(platform !== "" && { platform }) };
  const way = `launch IMAGE_SCAN with the parameters ${JSON.stringify(parameters)} by drydock.job.v1.JobService/LaunchJob`;
  return {
    allowed: false,
    message: `${nameOf(request)} ${why}, or its report is past its keep time: ${way}, and ask again when the job is SUCCESS`,
    ...{ verdict: undefined, reportId: "", digest: "", scannedAt: undefined, coverage: Coverage.COVERAGE_UNSPECIFIED },
  };
}

async function* decoded(parts: AsyncIterable<Buffer>): AsyncGenerator<Report> {
  for await (const part of parts) yield Report.decode(part);
}

function nameOf({ repository, tag, digest }: message.CheckImageRequest): string {
  return digest === "" ? `${repository}:${tag}` : `${repository}@${digest}`;
}
