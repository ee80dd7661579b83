import type { PolicyVerdict, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { ExploitationData } from "../ports/exploitation-data.ts";
import type { ReportedImage, ReportJudge } from "../usecases/report-judge.ts";
import { toRules, toVerdictMessage } from "./convert-policy.ts";
import { fromCoverageCode } from "./convert-report.ts";
import { ReportReading } from "./indexed-report.ts";

/** What decorates reports. */
export interface ReportDecoratorDeps {
  exploitation: ExploitationData;
  judge: Pick<ReportJudge, "judge">;
}

/** Adds to reports what is known when they are read: what is exploited, and what the policies of now say. */
export function createReportDecorator({ exploitation, judge }: ReportDecoratorDeps) {
  return {
    /** Sets known_exploited and epss of the vulnerabilities of a report, or of a part of one. */
    decorate(part: Report): void {
      for (const vulnerability of part.vulnerabilities)
        Object.assign(vulnerability, exploitation.of(vulnerability.name));
    },
    /**
     * What the policies say of a report; undefined when none holds for it.
     * @param parts gives the report in parts
     * @param repository the one that it was asked for in; default: the one that was scanned
     */
    async judge(parts: () => AsyncIterable<Report>, repository?: string): Promise<PolicyVerdict | undefined> {
      const verdict = await judge.judge(toReportedImage(await readParts(parts()), repository));
      return verdict && toVerdictMessage(verdict);
    },
  };
}

/** Gathers what policies ask for of a report in parts. */
export async function readParts(parts: AsyncIterable<Report>): Promise<ReportReading> {
  const reading = new ReportReading();
  for await (const part of parts) reading.add(part);
  return reading;
}

/** An image as its report tells of it. */
export function toReportedImage(reading: ReportReading, repository?: string): ReportedImage {
  const { artifact, coverage, coverageNotes, generatedAt, policy } = reading.report;
  return {
    repository: repository ?? artifact?.repository ?? "",
    digest: artifact?.digest ?? "",
    indexDigest: artifact?.indexDigest ?? "",
    // what does not say how much was looked at must not count as looked at
    coverage: fromCoverageCode(coverage) ?? "UNSUPPORTED",
    coverageNotes,
    findings: reading.findings(),
    scannedAt: generatedAt?.getTime() ?? 0,
    scanRules: policy && toRules(policy),
  };
}
