import { JobStats, jobStatusToJSON } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { Job } from "../domain/job.ts";
import type { HookEvent } from "../domain/status-hook.ts";
import { toStats, toStatusCode } from "./convert.ts";

/** What a status hook is sent: the event, and the job as it stands now. */
export function toHookBody({ status, checkIn }: HookEvent, job: Job): string {
  return JSON.stringify({
    job_id: job.id,
    status: jobStatusToJSON(toStatusCode(status)),
    check_in: checkIn,
    metadata: JobStats.toJSON(toStats(job)),
  });
}
