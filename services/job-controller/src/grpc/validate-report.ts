import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import type { Summary } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type {
  GetReportRequest,
  ReportSubject as Subject,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { isJobId, jobIdRule } from "../domain/job-id.ts";
import { jobOfReport, type Severity, severities } from "../domain/report-entry.ts";
import type { ReportSubject } from "../usecases/find-report.ts";
import { toSeverityCounts } from "./convert-report.ts";
import { digestRule, isDigest } from "./validate.ts";

/** A repository, as far as it matters for asking: what a registry allows, and no line ends or blanks. */
const repositoryPattern = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const platformPattern = /^[A-Za-z0-9._-]{1,32}(\/[A-Za-z0-9._-]{1,32}){1,2}$/;

/** What a repository is, for people. */
export const repositoryRule =
  "must be a repository without the registry's host, e.g. library/web: at most 255 of letters, digits, dot, underscore, hyphen and slash, a letter or digit first";
const tagRule =
  "must be a tag: at most 128 of letters, digits, dot, underscore and hyphen, a letter, digit or underscore first";
const platformRule = "must be os/architecture or os/architecture/variant, e.g. linux/arm64";
const reportIdRule = `${jobIdRule}, with ~ and a number behind it for all but the first of a job's reports`;

/** What a report is asked for by. */
export interface AskedReport {
  subject: ReportSubject;
  /** Empty when it was not said. */
  platform: string;
}

/** Whether the text is a repository. */
export function isRepository(text: string): boolean {
  return repositoryPattern.test(text);
}

/** Checks what a report is asked for by. */
export function validateReport(
  request: Pick<GetReportRequest, "subject" | "repository" | "tag" | "platform">,
): AskedReport {
  const { subject, repository, tag, platform } = request;
  const jobId = subject?.$case === "jobId" ? subject.value : "";
  const digest = subject?.$case === "digest" ? subject.value : "";
  return validateSubject({ reportId: "", jobId, digest, repository, tag, platform }, "", ["job_id", "digest"]);
}

/**
 * Checks the subject of a field.
 * @param path of the fields, e.g. "base."; empty for those of the request itself
 */
export function validateSubject(
  subject: Subject | undefined,
  path: string,
  ids: readonly string[] = ["report_id", "job_id", "digest"],
): AskedReport {
  const fields = { reportId: "", jobId: "", digest: "", repository: "", tag: "", platform: "", ...subject };
  const { platform } = fields;
  const subjects = subjectsOf(fields);
  const [only] = subjects;
  const violations: FieldViolation[] = [];
  if (only === undefined || subjects.length > 1) {
    const field = ids[0] ?? "";
    const rest = `${ids.slice(1).join(", ")}, or repository and tag`;
    const description = only === undefined ? `or ${rest} must be set` : `or ${rest} must be set, and one of them alone`;
    violations.push({ field: path + field, description });
  }
  for (const one of subjects) violations.push(...violationsOf(one, path));
  if (platform !== "" && !platformPattern.test(platform)) {
    violations.push({ field: `${path}platform`, description: platformRule });
  }
  if (only === undefined || violations.length > 0) throw fieldsInvalid(violations);
  return { subject: only, platform };
}

/**
 * Checks that a report's summary is of its findings and of those that it leaves out: lists and policies go by it.
 * @param summary undefined if the report claims none
 * @param found how many findings it has and leaves out
 * @throws ReasonedError FIELD_INVALID of gzip_chunk
 */
export function validateCounts(
  summary: Pick<Summary, "total" | "bySeverity"> | undefined,
  found: Readonly<Partial<Record<Severity, number>>>,
): void {
  if (summary === undefined) return;
  const total = severities.reduce((sum, severity) => sum + (found[severity] ?? 0), 0);
  const claimed = toSeverityCounts(summary.bySeverity);
  const wrong = severities.find((severity) => (claimed[severity] ?? 0) !== (found[severity] ?? 0));
  if (summary.total === total && wrong === undefined) return;
  const counts =
    summary.total === total
      ? `${claimed[wrong as Severity] ?? 0} ${wrong} instead of ${found[wrong as Severity] ?? 0}`
      : `${summary.total} instead of ${total}`;
  const description = `has a summary of ${counts} findings; it must count the report's findings and what left_out says, by severity and in all`;
  throw fieldsInvalid([{ field: "gzip_chunk", description }]);
}

function subjectsOf({ reportId, jobId, digest, repository, tag }: Subject): ReportSubject[] {
  return [
    ...(reportId === "" ? [] : [{ kind: "report" as const, reportId }]),
    ...(jobId === "" ? [] : [{ kind: "job" as const, jobId }]),
    ...(digest === "" ? [] : [{ kind: "digest" as const, digest }]),
    ...(repository === "" && tag === "" ? [] : [{ kind: "tag" as const, repository, tag }]),
  ];
}

function violationsOf(subject: ReportSubject, path: string): FieldViolation[] {
  const rules: Array<[field: string, holds: boolean, rule: string]> = [];
  if (subject.kind === "report") rules.push(["report_id", isReportId(subject.reportId), reportIdRule]);
  if (subject.kind === "job") rules.push(["job_id", isJobId(subject.jobId), jobIdRule]);
  if (subject.kind === "digest") rules.push(["digest", isDigest(subject.digest), digestRule]);
  if (subject.kind === "tag") {
    const { repository, tag } = subject;
    rules.push(["repository", isRepository(repository), repository === "" ? "is missing beside tag" : repositoryRule]);
    rules.push(["tag", tagPattern.test(tag), tag === "" ? "is missing beside repository" : tagRule]);
  }
  return rules.filter(([, holds]) => !holds).map(([field, , description]) => ({ field: path + field, description }));
}

function isReportId(text: string): boolean {
  return isJobId(jobOfReport(text)) && /^[^~]+(~[1-9]\d?)?$/.test(text);
}
