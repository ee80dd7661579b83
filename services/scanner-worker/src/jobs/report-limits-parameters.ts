import { z } from "zod";
import { mostFindings } from "../domain/kept-findings.ts";
import type { ReportLimits } from "../domain/report.ts";
import { severityParameter, upper } from "./severity-parameter.ts";

/** How much a report keeps, as scans take it: the fields of drydock.report.v1.ReportLimits. */
export const reportLimitsParameters = z
  .strictObject({
    least_severity: severityParameter.optional().describe("The least severity that is kept. Default: all are."),
    findings: z
      .int()
      .min(1)
      .max(mostFindings)
      .optional()
      .describe(`The most findings that are kept, the worst. Default: ${mostFindings}.`),
  })
  .describe("How much of what was found the report keeps; what it leaves out is counted.");

/** Limits as parameters have them. */
export type ReportLimitsParameters = z.infer<typeof reportLimitsParameters>;

/** The limits that parameters name; undefined when they name none. */
export function toReportLimits({ least_severity, findings }: ReportLimitsParameters): ReportLimits | undefined {
  if (least_severity === undefined && findings === undefined) return undefined;
  return { leastSeverity: least_severity && upper(least_severity), findings };
}

/** The parameters that name the limits. */
export function toReportLimitsParameters({ leastSeverity, findings }: ReportLimits): ReportLimitsParameters {
  return { least_severity: leastSeverity, findings };
}
