import type { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  JobServiceClient,
  JobServiceService,
  LaunchJobRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import type { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { GetReportRequest, ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { createChannelOptions, serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import { credentials } from "@grpc/grpc-js";

/** Drydock, as one of its users calls it. */
export interface DrydockClient {
  /** Launches a scan of the image and gives the job. */
  launchScan(image: { repository: string; tag: string }, signal: AbortSignal): Promise<JobStats>;
  /** Launches a scan of all images of the registry and gives the job. */
  launchScanAll(signal: AbortSignal): Promise<JobStats>;
  /** The job now and after each change, until it has ended. */
  watch(jobId: string, signal: AbortSignal): AsyncIterable<JobStats>;
  /** What the job found. */
  getReport(jobId: string, signal: AbortSignal): Promise<Report>;
  close(): void;
}

const deadlineMs = 10_000;

/** @param address the job-controller's, host:port */
export function createDrydockClient(address: string): DrydockClient {
  const client = new JobServiceClient(address, credentials.createInsecure(), createChannelOptions());
  const launch = async (name: string, parameters: object, signal: AbortSignal) => {
    const request = LaunchJobRequest.fromPartial({ job: { name, parameters: { ...parameters } } });
    const { stats } = await unaryCall(client, JobServiceService.launchJob, request, { deadlineMs, signal });
    return required(stats, "stats");
  };
  return {
    launchScan: ({ repository, tag }, signal) => launch("IMAGE_SCAN", { repository, tag }, signal),
    launchScanAll: (signal) => launch("IMAGE_SCAN_ALL", {}, signal),
    async *watch(jobId, signal) {
      const request = { jobId, afterRevision: 0 };
      for await (const { stats } of serverStreamCall(client, JobServiceService.watchJob, request, { signal })) {
        yield required(stats, "stats");
      }
    },
    getReport: async (jobId, signal) => {
      const request = GetReportRequest.fromPartial({ subject: { $case: "jobId", value: jobId } });
      const { report } = await unaryCall(client, ReportServiceService.getReport, request, { deadlineMs, signal });
      return required(report, "report");
    },
    close: () => client.close(),
  };
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the job-controller's answer holds no ${name}`);
  return value;
}
