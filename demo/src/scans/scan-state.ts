import { type JobStats, JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";

/** How far the scan of an image is. */
export interface ScanState {
  /** repository:tag */
  image: string;
  stage: "waiting" | "running" | "done" | "failed";
  /** From 0 to 100. */
  percent: number;
  /** What the scan says of itself. */
  text: string;
}

/** What the job's stats say about the scan of the image. */
export function scanStateOf(image: string, stats: JobStats): ScanState {
  const percent = stats.progress?.percent ?? 0;
  switch (stats.status) {
    case JobStatus.JOB_STATUS_SUCCESS:
      return { image, stage: "done", percent: 100, text: stats.checkIn };
    case JobStatus.JOB_STATUS_ERROR:
    case JobStatus.JOB_STATUS_STOPPED:
    case JobStatus.JOB_STATUS_CANCELLED:
      return { image, stage: "failed", percent, text: stats.lastError?.message ?? "ended by somebody else" };
    case JobStatus.JOB_STATUS_RUNNING:
      return { image, stage: "running", percent, text: stats.checkIn };
    default:
      return { image, stage: "waiting", percent, text: stats.lastError?.message ?? "" };
  }
}
