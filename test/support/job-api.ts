import { type JobStats, jobStatusToJSON } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  type CheckStatusResponse,
  JobServiceService,
  LaunchJobRequest,
  ListJobsRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import type { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { GetReportRequest, ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { createChannelOptions, serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { type Patience, until } from "./until.ts";

const deadlineMs = 20_000;

/** A job as the API shows it, its status in a word. */
export type SeenJob = Omit<JobStats, "status"> & { status: string };

/** The fields of a LaunchJobRequest, each of them optional. */
export type LaunchFields = Parameters<typeof LaunchJobRequest.fromPartial>[0];

/** Which part of a job's log to read. */
export interface LogPart {
  offset?: number;
  follow?: boolean;
  signal?: AbortSignal;
}

/** A client of JobService and ReportService. */
export class JobApi {
  readonly client: Client;

  constructor(address: string) {
    this.client = new Client(address, credentials.createInsecure(), {
      ...createChannelOptions(),
      // clients must find a restarted controller soon
      "grpc.max_reconnect_backoff_ms": 500,
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  launch(name: string, parameters: Record<string, unknown>): Promise<SeenJob> {
    return this.launchAs({ job: { name, parameters } });
  }

  /** Launches with any fields of the request. */
  async launchAs(wanted: LaunchFields): Promise<SeenJob> {
    const request = LaunchJobRequest.fromPartial(wanted);
    return seen(await unaryCall(this.client, JobServiceService.launchJob, request, { deadlineMs }));
  }

  /** Launches a DEMO job; by default one of a single step without a wait. */
  launchDemo(parameters: Record<string, unknown> = { steps: 1, step_ms: 0 }): Promise<SeenJob> {
    return this.launch("DEMO", { image: "demo", ...parameters });
  }

  async get(jobId: string): Promise<SeenJob> {
    return seen(await unaryCall(this.client, JobServiceService.getJob, { jobId }, { deadlineMs }));
  }

  async stop(jobId: string): Promise<SeenJob> {
    return seen(await unaryCall(this.client, JobServiceService.stopJob, { jobId }, { deadlineMs }));
  }

  async cancel(jobId: string): Promise<SeenJob> {
    return seen(await unaryCall(this.client, JobServiceService.cancelJob, { jobId }, { deadlineMs }));
  }

  async retry(jobId: string): Promise<SeenJob> {
    return seen(await unaryCall(this.client, JobServiceService.retryJob, { jobId }, { deadlineMs }));
  }

  /** All jobs, or those that the job launched. */
  async list(upstreamJobId = ""): Promise<SeenJob[]> {
    const jobs: SeenJob[] = [];
    let pageToken = "";
    do {
      const request = ListJobsRequest.fromPartial({ upstreamJobId, pageSize: 1_000, pageToken });
      const page = await unaryCall(this.client, JobServiceService.listJobs, request, { deadlineMs });
      jobs.push(...page.jobs.map((stats) => seen({ stats })));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return jobs;
  }

  status(): Promise<CheckStatusResponse> {
    return unaryCall(this.client, JobServiceService.checkStatus, {}, { deadlineMs });
  }

  /** The job now and at each change, until it has ended. */
  async *watch(jobId: string, afterRevision = 0, signal?: AbortSignal): AsyncGenerator<SeenJob> {
    const settings = signal === undefined ? {} : { signal };
    const request = { jobId, afterRevision };
    for await (const answer of serverStreamCall(this.client, JobServiceService.watchJob, request, settings)) {
      yield seen(answer);
    }
  }

  /** The pieces of the job's log. */
  logPieces(jobId: string, { offset = 0, follow = false, signal }: LogPart = {}) {
    const settings = signal === undefined ? { deadlineMs: 60_000 } : { signal };
    return serverStreamCall(this.client, JobServiceService.getJobLogData, { jobId, offset, follow }, settings);
  }

  /** The job's log as one text. */
  async log(jobId: string, part: LogPart = {}): Promise<string> {
    let text = "";
    for await (const piece of this.logPieces(jobId, part)) text += piece.text;
    return text;
  }

  async report(subject: NonNullable<GetReportRequest["subject"]>): Promise<Report> {
    const request = GetReportRequest.fromPartial({ subject });
    const { report } = await unaryCall(this.client, ReportServiceService.getReport, request, { deadlineMs });
    if (report === undefined) throw new Error("an answer without a report");
    return report;
  }

  /** The job's report in parts. */
  async *reportParts(jobId: string): AsyncGenerator<Report> {
    const request = GetReportRequest.fromPartial({ subject: { $case: "jobId", value: jobId } });
    const parts = serverStreamCall(this.client, ReportServiceService.streamReport, request, { deadlineMs: 60_000 });
    for await (const { part } of parts) {
      if (part === undefined) throw new Error("an answer without a part");
      yield part;
    }
  }

  /** The report that the job made. */
  reportOf(jobId: string): Promise<Report> {
    return this.report({ $case: "jobId", value: jobId });
  }

  /** Waits until the job is as wanted. */
  until(jobId: string, what: string, willDo: (job: SeenJob) => boolean, patience?: Patience): Promise<SeenJob> {
    return until(`job ${jobId} ${what}`, () => this.get(jobId), willDo, patience);
  }

  /** Waits until the job has the status. */
  untilStatus(jobId: string, status: string, patience?: Patience): Promise<SeenJob> {
    return this.until(jobId, `is ${status}`, (job) => job.status === status, patience);
  }

  /** Waits until the job runs and its handler has said something. */
  untilAtWork(jobId: string, patience?: Patience): Promise<SeenJob> {
    const isAtWork = ({ status, checkIn }: SeenJob) => status === "RUNNING" && checkIn !== "";
    return this.until(jobId, "runs and has checked in", isAtWork, patience);
  }

  close(): void {
    this.client.close();
  }
}

function seen({ stats }: { stats?: JobStats | undefined }): SeenJob {
  if (stats === undefined) throw new Error("an answer without stats");
  return { ...stats, status: jobStatusToJSON(stats.status).replace("JOB_STATUS_", "") };
}
