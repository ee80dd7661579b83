import { WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { SubJob, SubJobs } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ControllerLink } from "./link.ts";
import { toLaunchSubJob } from "./messages.ts";
import { resend } from "./resend.ts";

/** How long one call may take, in milliseconds. */
const deadlineMs = 10_000;

/** LaunchSubJob as SubJobs. */
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
}
