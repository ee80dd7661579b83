import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import type {
  IndexedFinding,
  IndexedReport,
  ReportCounts,
  Severity,
} from "@drydock/job-controller/domain/report-entry.ts";
import type { Page, PageRequest } from "@drydock/job-controller/ports/report-queries.ts";
import type { NewReport } from "@drydock/job-controller/ports/report-store.ts";
import { newReport } from "../new-report.ts";
import type { ReportsUnderTest } from "./reports-under-test.ts";

/** The digest of that number; they are in order as the numbers are. */
export function digestOf(number: number): string {
  return `sha256:${String(number).padStart(64, "0")}`;
}

/** A finding, of libc6 2.36 with a fix in 2.37 unless `parts` say otherwise. */
export function finding(
  vulnerability: string,
  severity: Severity = "HIGH",
  parts: Partial<IndexedFinding> = {},
): IndexedFinding {
  return { vulnerability, severity, package: "libc6", version: "2.36", fixedVersion: "2.37", ...parts };
}

/** The counts of the findings. */
export function countsOf(findings: readonly IndexedFinding[]): ReportCounts {
  const bySeverity: Partial<Record<Severity, number>> = {};
  for (const { severity } of findings) bySeverity[severity] = (bySeverity[severity] ?? 0) + 1;
  return {
    total: findings.length,
    unique: new Set(findings.map(({ vulnerability }) => vulnerability)).size,
    fixable: findings.filter(({ fixedVersion }) => fixedVersion !== "").length,
    bySeverity,
    packages: 63,
    affectedPackages: new Set(findings.map((each) => each.package)).size,
  };
}

/** A report of the job: the counts are those of the findings. */
export function reportOf(
  { jobId }: Pick<HeldLease, "jobId">,
  digest: string,
  parts: Partial<IndexedReport>,
): NewReport {
  const counts = countsOf(parts.findings ?? []);
  const gzip = Buffer.from(`report of ${parts.reportId ?? jobId}`);
  return newReport(jobId, digest, gzip, { counts, headline: `of ${digest}`, ...parts });
}

/** Puts a report of a new job, scanned now unless `parts` say otherwise; gives its id. */
export async function putReport(
  under: ReportsUnderTest,
  digest: string,
  parts: Partial<IndexedReport> = {},
): Promise<string> {
  const lease = await under.startJob();
  await under.reports.put(lease, reportOf(lease, digest, { scannedAt: under.clock.now(), ...parts }));
  return lease.jobId;
}

/** The entries of all pages; a page may be short, even empty, before the last. */
export async function allPages<T>(read: (page: PageRequest) => Promise<Page<T>>, size = 100): Promise<T[]> {
  const items: T[] = [];
  let token = "";
  do {
    const page = await read({ size, token });
    if (page.items.length > size)
      throw new Error(`a page of ${page.items.length} entries where ${size} were asked for`);
    items.push(...page.items);
    token = page.nextToken;
  } while (token !== "");
  return items;
}

/** The digests of the entries. */
export function digestsOf(entries: readonly { digest: string }[]): string[] {
  return entries.map(({ digest }) => digest);
}

/** The ids of the reports. */
export function idsOf(entries: readonly { reportId: string }[]): string[] {
  return entries.map(({ reportId }) => reportId);
}

/** The report's gzip as one; undefined when there is none. */
export async function readGzip({ reports }: ReportsUnderTest, reportId: string): Promise<Buffer | undefined> {
  const pieces = await reports.read(reportId);
  return pieces === undefined ? undefined : Buffer.concat(await Array.fromAsync(pieces));
}
