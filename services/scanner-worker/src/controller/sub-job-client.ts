import { sleep } from "@drydock/shared/abort.ts";
import {
  type LaunchSubJobResult,
  type LaunchSubJobsRequest,
  WorkerServiceService,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { RpcError, unaryCall } from "@drydock/shared/grpc/client.ts";
import { fromStatus } from "@drydock/shared/grpc/status.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { SubJobResult } from "../ports/job.ts";
import type { SubJob, SubJobs } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ControllerLink } from "./link.ts";
import { toLaunchSubJob } from "./messages.ts";
import { isPassing, resend, toFailure, waitMs } from "./resend.ts";

/** How long one call may take, in milliseconds. */
const deadlineMs = 10_000;
/** How long one call for many jobs may take, in milliseconds. */
const bulkDeadlineMs = 30_000;

/** LaunchSubJob and LaunchSubJobs as SubJobs. */
export class SubJobClient implements SubJobs {
  readonly #link: ControllerLink;
  readonly #incarnation: string;

  /** @param incarnation the process that holds the jobs */
  constructor(link: ControllerLink, incarnation: string) {
    this.#link = link;
    this.#incarnation = incarnation;
  }

  async launch(lease: Lease, job: SubJob, signal: AbortSignal): Promise<{ id: string }> {
    const request = toLaunchSubJob(lease, this.#incarnation, job);
    const call = () => unaryCall(this.#link.client, WorkerServiceService.launchSubJob, request, { deadlineMs, signal });
    const { stats } = await resend(lease, call, signal);
    if (stats === undefined) throw new JobFailure("INTERNAL", "the controller named no job", { retryable: true });
    return { id: stats.id };
  }

  async launchAll(lease: Lease, jobs: readonly SubJob[], signal: AbortSignal): Promise<SubJobResult[]> {
    const results: SubJobResult[] = [];
    let waiting = jobs.map((job, index) => ({ index, request: toLaunchSubJob(undefined, "", job) }));
    for (let failures = 1; waiting.length > 0; failures += 1) {
      const request = { lease, incarnation: this.#incarnation, jobs: waiting.map((launch) => launch.request) };
      const answered = await this.#launchAll(lease, request, signal);
      const delays: number[] = [];
      waiting = waiting.filter(({ index }, at) => {
        const outcome = toOutcome(answered[at]);
        if (!(outcome instanceof RpcError)) results[index] = outcome;
        else if (isPassing(outcome)) return delays.push(waitMs(failures, outcome));
        else results[index] = { failure: toFailure(outcome) };
        return false;
      });
      if (waiting.length > 0) await sleep(Math.max(...delays), signal);
    }
    return results;
  }

  async #launchAll(lease: Lease, request: LaunchSubJobsRequest, signal: AbortSignal): Promise<LaunchSubJobResult[]> {
    const settings = { deadlineMs: bulkDeadlineMs, signal };
    const call = () => unaryCall(this.#link.client, WorkerServiceService.launchSubJobs, request, settings);
    return (await resend(lease, call, signal)).results;
  }
}

function toOutcome(answered: LaunchSubJobResult | undefined): { id: string; isOthers?: true } | RpcError {
  const result = answered?.result;
  if (result?.$case === "jobId") return { id: result.value, ...(answered?.isOthers && { isOthers: true }) };
  if (result?.$case === "error") return new RpcError(fromStatus(result.value));
  throw new JobFailure("INTERNAL", "the controller did not answer each launch", { retryable: true });
}
