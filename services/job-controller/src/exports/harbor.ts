import {
  Coverage,
  type Cvss,
  FindingStatus,
  type Vulnerability,
} from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { jsonList } from "./pieces.ts";
import type { FullFinding, ReportHead, ReportSource } from "./report-source.ts";
import { coverageOf, severityOf, timeOf } from "./words.ts";

/** Harbor's vulnerability report 1.1, with coverage, coverage_notes and headline beside its fields. */
export async function* exportHarbor(source: ReportSource): AsyncGenerator<string> {
  yield `${JSON.stringify(headOf(source.titled)).slice(0, -1)},"vulnerabilities":`;
  yield* jsonList(itemsOf(source));
  yield "}\n";
}

function headOf(head: ReportHead): object {
  const { artifact, scanner } = head;
  const generatedAt = timeOf(head);
  return {
    ...(generatedAt !== "" && { generated_at: generatedAt }),
    artifact: {
      repository: artifact?.repository ?? "",
      digest: artifact?.digest ?? "",
      mime_type: artifact?.mediaType ?? "",
    },
    scanner: { name: scanner?.name ?? "", vendor: scanner?.vendor ?? "", version: scanner?.version ?? "" },
    severity: overallSeverity(head),
    coverage: coverageOf(head),
    coverage_notes: head.coverageNotes,
    headline: head.headline,
  };
}

/** None says that there is nothing, which is known with full coverage alone. */
function overallSeverity({ summary, coverage }: ReportHead): string {
  if (summary !== undefined && summary.total > 0) return severityOf(summary.maxSeverity).harbor;
  return coverage === Coverage.COVERAGE_FULL ? "None" : "Unknown";
}

/** An item for each finding, by vulnerability. */
async function* itemsOf(source: ReportSource): AsyncGenerator<object> {
  const groups = await source.groupFindings();
  for await (const vulnerability of source.list("vulnerabilities")) {
    const findings = groups.get(vulnerability.key) ?? [];
    groups.delete(vulnerability.key);
    for (const full of findings) yield itemOf(full, vulnerability);
  }
  for (const findings of groups.values()) for (const full of findings) yield itemOf(full, undefined);
}

function itemOf(
  { finding, package: found, vulnerability: brief }: FullFinding,
  told: Vulnerability | undefined,
): object {
  const cvss = told?.cvss ?? [];
  const preferred = { ...scoreOf(cvss, "3"), ...scoreOf(cvss, "2") };
  const { knownExploited, epss } = brief;
  const vendor = {
    ...vendorScores(cvss),
    ...(told?.extensions !== undefined && { extensions: told.extensions }),
    ...(knownExploited && { known_exploited: true }),
    ...(epss > 0 && { epss }),
  };
  return {
    id: brief.name,
    package: found.name,
    version: found.version,
    fix_version: finding.fixedVersion,
    severity: severityOf(finding.severity).harbor,
    status: finding.status === FindingStatus.FINDING_STATUS_FIXED_AVAILABLE ? "fixed" : "affected",
    description: told?.description ?? "",
    links: told?.links ?? [],
    cwe_ids: [],
    ...(finding.layerDigest !== "" && { layer: { digest: finding.layerDigest } }),
    ...(Object.keys(preferred).length > 0 && { preferred_cvss: preferred }),
    ...(Object.keys(vendor).length > 0 && { vendor_attributes: vendor }),
  };
}

function scoreOf(cvss: readonly Cvss[], major: "2" | "3"): object {
  const found = cvss.filter(({ version }) => version.startsWith(major)).at(-1);
  return found === undefined ? {} : { [`score_v${major}`]: found.score, [`vector_v${major}`]: found.vector };
}

function vendorScores(cvss: readonly Cvss[]): object {
  const bySource = new Map<string, Record<string, unknown>>();
  for (const { source, version, score, vector } of cvss) {
    const major = version.startsWith("2") ? "V2" : "V3";
    const scores = { ...bySource.get(source), [`${major}Score`]: score, [`${major}Vector`]: vector };
    bySource.set(source || "unknown", scores);
  }
  return bySource.size === 0 ? {} : { CVSS: Object.fromEntries(bySource) };
}
