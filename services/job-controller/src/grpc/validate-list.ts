import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { JobKind, JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { ListJobsRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { isJobId, jobIdRule } from "../domain/job-id.ts";
import { jobNamePattern, jobNameRule } from "../domain/job-type.ts";
import type { JobFilter } from "../usecases/list-jobs.ts";
import type { Page } from "../usecases/page-token.ts";
import { fromKindCode, fromStatusCode } from "./convert.ts";

const usualPageSize = 50;
const maxPageSize = 200;
const maxJobs = 1_000;

/** The fields of every request for a page. */
export interface PageRequest {
  pageSize: number;
  pageToken: string;
}

/** Checks which page is asked for. */
export function validatePage({ pageSize, pageToken }: PageRequest, most = maxPageSize): Page {
  if (pageSize < 0) throw fieldsInvalid([{ field: "page_size", description: "must not be negative" }]);
  return { size: Math.min(pageSize || usualPageSize, most), token: pageToken };
}

/** Checks what jobs are asked for. */
export function validateList(request: ListJobsRequest): { filter: JobFilter; page: Page } {
  const { upstreamJobId, name, status, kind, labels, launchedAfter, launchedBefore, pageSize } = request;
  const known = fromStatusCode(status);
  const knownKind = fromKindCode(kind);
  const rules: Array<[field: string, holds: boolean, rule: string]> = [
    ["upstream_job_id", upstreamJobId === "" || isJobId(upstreamJobId), jobIdRule],
    ["name", name === "" || jobNamePattern.test(name), jobNameRule],
    ["status", status === JobStatus.JOB_STATUS_UNSPECIFIED || known !== undefined, "must be a JobStatus"],
    ["kind", kind === JobKind.JOB_KIND_UNSPECIFIED || knownKind !== undefined, "must be a JobKind"],
    ["launched_after", !isNoTime(launchedAfter), timeRule],
    ["launched_before", !isNoTime(launchedBefore), timeRule],
    ["page_size", pageSize >= 0, "must not be negative"],
  ];
  const violations = rules.filter(([, holds]) => !holds).map(([field, , description]) => ({ field, description }));
  if (violations.length > 0) throw fieldsInvalid(violations);
  const filter = withoutUnset({
    upstreamJobId: upstreamJobId || undefined,
    name: name || undefined,
    status: known,
    kind: knownKind,
    labels: Object.keys(labels).length > 0 ? labels : undefined,
    launchedAfter: launchedAfter?.getTime(),
    launchedBefore: launchedBefore?.getTime(),
  });
  return { filter, page: validatePage(request, maxJobs) };
}

const timeRule = "must be a time from the year 1 to 9999";

function isNoTime(time: Date | undefined): boolean {
  return time !== undefined && Number.isNaN(time.getTime());
}

function withoutUnset(filter: { [Key in keyof JobFilter]: JobFilter[Key] | undefined }): JobFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
