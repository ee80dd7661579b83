import {
  Coverage,
  type ExceptedFinding,
  type Platform,
  PolicyDecision,
  type PolicyVerdict,
  type Report,
  Severity,
  type SeverityCount,
} from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import type { ReportHead } from "./report-source.ts";

/** How a severity is told. */
export interface SeverityWords {
  /** In prose and as a word of CycloneDX, but for negligible. */
  word: string;
  /** Harbor's. */
  harbor: string;
  sarifLevel: "error" | "warning" | "note";
  cycloneDx: "critical" | "high" | "medium" | "low" | "info" | "unknown";
  /** SARIF's number where no score is known; empty for none. */
  score: string;
}

const unknown: SeverityWords = {
  word: "unknown",
  harbor: "Unknown",
  sarifLevel: "note",
  cycloneDx: "unknown",
  score: "",
};

const severityWords: Readonly<Partial<Record<Severity, SeverityWords>>> = {
  [Severity.SEVERITY_CRITICAL]: words("critical", "error", "9.5"),
  [Severity.SEVERITY_HIGH]: words("high", "error", "8.0"),
  [Severity.SEVERITY_MEDIUM]: words("medium", "warning", "5.5"),
  [Severity.SEVERITY_LOW]: words("low", "note", "2.0"),
  [Severity.SEVERITY_NEGLIGIBLE]: {
    ...words("low", "note", ""),
    word: "negligible",
    harbor: "Negligible",
    cycloneDx: "info",
  },
};

function words(
  word: "critical" | "high" | "medium" | "low",
  sarifLevel: SeverityWords["sarifLevel"],
  score: string,
): SeverityWords {
  return { word, harbor: word.charAt(0).toUpperCase() + word.slice(1), sarifLevel, cycloneDx: word, score };
}

/** The words of a severity; those of unknown for one that is not known. */
export function severityOf(severity: Severity): SeverityWords {
  return severityWords[severity] ?? unknown;
}

const coverageWords: Readonly<Partial<Record<Coverage, string>>> = {
  [Coverage.COVERAGE_FULL]: "full",
  [Coverage.COVERAGE_PARTIAL]: "partial",
  [Coverage.COVERAGE_UNSUPPORTED]: "unsupported",
  [Coverage.COVERAGE_NOT_AN_IMAGE]: "not an image",
};

/** The coverage in a word. */
export function coverageOf({ coverage }: Pick<Report, "coverage">): string {
  return coverageWords[coverage] ?? "unknown";
}

/** The coverage and, where it is not full, why, e.g. "partial (os_unknown)". */
export function coverageLine(head: Pick<Report, "coverage" | "coverageNotes">): string {
  const notes = head.coverageNotes.map(oneLine).join(", ");
  return notes === "" ? coverageOf(head) : `${coverageOf(head)} (${notes})`;
}

/** What a count of findings is told with, e.g. "2 findings: 1 critical, 1 low; 1 can be fixed; coverage full". */
export function totalLine(head: ReportHead): string {
  const { total = 0, fixable = 0, bySeverity = [] } = head.summary ?? {};
  const counts = countsOf(bySeverity);
  const findings = total === 1 ? "1 finding" : `${total} findings`;
  const found = total === 0 ? findings : `${findings}: ${counts}; ${fixable} can be fixed by an update`;
  return `${found}${leftOutWords(head)}; coverage ${coverageLine(head)}`;
}

/** What the report does not keep, e.g. "; not in this report: 3 low"; empty if it keeps all. */
export function leftOutWords({ leftOut }: ReportHead): string {
  return leftOut.length === 0 ? "" : `; not in this report: ${countsOf(leftOut)}`;
}

function countsOf(counts: readonly SeverityCount[]): string {
  return counts.map(({ severity, count }) => `${count} ${severityOf(severity).word}`).join(", ");
}

/** The image as people write it, e.g. library/web:1.0. */
export function imageName({ artifact }: ReportHead): string {
  const { repository = "", tags = [], digest = "" } = artifact ?? {};
  const name = repository === "" ? "image" : repository;
  const [tag] = tags;
  if (tag !== undefined) return oneLine(`${name}:${tag}`);
  return oneLine(digest === "" ? name : `${name}@${digest}`);
}

/** E.g. linux/arm64; empty if unknown. */
export function platformOf({ artifact }: ReportHead): string {
  return artifact?.platform === undefined ? "" : formatPlatform(artifact.platform);
}

function formatPlatform({ os, architecture, variant }: Platform): string {
  return oneLine([os, architecture, variant].filter(Boolean).join("/"));
}

/** The systems found, e.g. debian:12. */
export function systemsOf({ distributions }: ReportHead): string {
  return distributions.map(({ namespace, did, versionId }) => oneLine(namespace || `${did}:${versionId}`)).join(", ");
}

/** The scanner and its version; empty when no layer was scanned. */
export function scannerOf({ scanner }: ReportHead): string {
  return oneLine([scanner?.name ?? "", scanner?.version ?? ""].filter(Boolean).join(" "));
}

/** When packages and vulnerabilities were matched, in ISO 8601; empty if unknown. */
export function timeOf({ generatedAt }: ReportHead): string {
  return generatedAt === undefined || Number.isNaN(generatedAt.getTime()) ? "" : generatedAt.toISOString();
}

/** Why a finding is excepted, by whom and until when. */
export function exceptionOf({
  reason,
  createdBy,
  expiresAt,
}: Pick<ExceptedFinding, "reason" | "createdBy" | "expiresAt">): string {
  const who = createdBy === "" ? "" : ` (${createdBy})`;
  const until = expiresAt === undefined ? "" : `, until ${expiresAt.toISOString()}`;
  return oneLine(`${reason}${who}${until}`);
}

/** What the policies say, in lines; none when no policy holds. */
export function verdictLines(verdict: PolicyVerdict | undefined): string[] {
  if (verdict === undefined) return [];
  const { decision, policies, reasons, reasonCount, excepted, exceptedCount, message } = verdict;
  // the message names one that is alone
  const names = policies.length > 1 ? [`held to: ${policies.map(oneLine).join(", ")}`] : [];
  const word = decision === PolicyDecision.POLICY_DECISION_PASS ? "pass" : "fail";
  const headline = message === "" ? word : `${word}: ${oneLine(message)}`;
  const rest = reasonCount - reasons.length;
  return [
    headline,
    ...names,
    ...reasons.map(({ policy, message: why }) => oneLine(`${policy}: ${why}`)),
    ...(rest > 0 ? [`and ${rest} more reasons`] : []),
    ...excepted.map((own) =>
      oneLine(
        `excepted: ${own.vulnerability} in ${[own.package, own.version].filter(Boolean).join(" ")}: ${exceptionOf(own)}`,
      ),
    ),
    ...(exceptedCount > excepted.length ? [`and ${exceptedCount - excepted.length} more exceptions`] : []),
  ];
}
