import { ReasonedError } from "@drydock/shared/errors.ts";
import { choosePlatform } from "../domain/choose-platform.ts";
import type { ReportReference } from "../domain/report-entry.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { ReportStore } from "../ports/report-store.ts";

/** Whose report is asked for. */
export type ReportSubject =
  | { kind: "report"; reportId: string }
  | { kind: "job"; jobId: string }
  | { kind: "digest"; digest: string }
  | { kind: "tag"; repository: string; tag: string };

/** The report that was found. */
export interface FoundReport {
  reportId: string;
  /** The reports for other platforms that the subject has. */
  others: ReportReference[];
  /** The repository that it was asked for in; undefined when it was asked for in another way. */
  repository?: string;
  /** The tag that it was asked for by; undefined when it was asked for in another way. */
  tag?: string;
  /** What people call the subject, e.g. library/web:1.0. */
  name: string;
}

/** What finding a report needs. */
export interface FindReportDeps {
  reports: Pick<ReportStore, "ofJob" | "newestOf" | "newestOfTag" | "digestOf">;
  pool: Pick<JobPool, "peek">;
}

/**
 * Finds the report of a job, the newest one of an image, or the one of that id, which may be gone.
 * @param platform which one of several; empty for linux/amd64, else the first
 * @throws ReasonedError REPORT_NOT_FOUND, which says what is known; JOB_NOT_FOUND
 */
export async function findReport(deps: FindReportDeps, subject: ReportSubject, platform: string): Promise<FoundReport> {
  const name = nameOf(subject);
  if (subject.kind === "report") return { reportId: subject.reportId, others: [], name };
  const found = await listReports(deps, subject);
  if (found.length === 0) throw reportNotFound(await reasonOf(deps, subject), name);
  const choice = choosePlatform(found, platform);
  if (choice === undefined) {
    const known = found.map((report) => report.platform || "an unknown platform").join(", ");
    throw reportNotFound(`${name} has no report for ${platform}, but for ${known}`, name);
  }
  const place = subject.kind === "tag" ? { repository: subject.repository, tag: subject.tag } : {};
  return { reportId: choice.chosen.reportId, others: choice.others, name, ...place };
}

/** An error for a report that is not there. */
export function reportNotFound(text: string, name: string): ReasonedError {
  return new ReasonedError("REPORT_NOT_FOUND", text, {
    metadata: { subject: name },
    resource: { type: "drydock.report.v1.Report", name },
  });
}

function listReports(
  { reports }: FindReportDeps,
  subject: Exclude<ReportSubject, { kind: "report" }>,
): Promise<ReportReference[]> {
  if (subject.kind === "job") return reports.ofJob(subject.jobId);
  if (subject.kind === "digest") return reports.newestOf(subject.digest);
  return reports.newestOfTag(subject.repository, subject.tag);
}

/** Why there is none, as far as it is known. */
async function reasonOf({ pool, reports }: FindReportDeps, subject: ReportSubject): Promise<string> {
  const name = nameOf(subject);
  if (subject.kind === "job") {
    const { status } = await pool.peek(subject.jobId);
    if (status !== "SUCCESS") return `job ${name} is ${status} and has made no report`;
    return `job ${name} is SUCCESS and has no report: it made none, newer ones of its image took its place, or it is past its keep time`;
  }
  if (subject.kind === "tag") {
    const digest = await reports.digestOf(subject.repository, subject.tag);
    if (digest === undefined) return `no scan has come across ${name}: launch one, unless the name is misspelt`;
    return `${name} is known to be ${digest}, which was not scanned, not yet, or its report is past its keep time`;
  }
  return `no image ${name} was scanned, or its report is past its keep time`;
}

function nameOf(subject: ReportSubject): string {
  if (subject.kind === "report") return subject.reportId;
  if (subject.kind === "job") return subject.jobId;
  return subject.kind === "digest" ? subject.digest : `${subject.repository}:${subject.tag}`;
}
