import { JobStatus as ProtoJobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  type GetRunStateResponse,
  WorkerServiceService,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { JobStatus, RunState } from "../ports/job.ts";
import type { RunStates } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ControllerLink } from "./link.ts";
import { resend } from "./resend.ts";

/** How long one call may take, in milliseconds. */
const deadlineMs = 10_000;

const statuses: Readonly<Partial<Record<ProtoJobStatus, JobStatus>>> = {
  [ProtoJobStatus.JOB_STATUS_SCHEDULED]: "SCHEDULED",
  [ProtoJobStatus.JOB_STATUS_PENDING]: "PENDING",
  [ProtoJobStatus.JOB_STATUS_RUNNING]: "RUNNING",
  [ProtoJobStatus.JOB_STATUS_STOPPED]: "STOPPED",
  [ProtoJobStatus.JOB_STATUS_CANCELLED]: "CANCELLED",
  [ProtoJobStatus.JOB_STATUS_ERROR]: "ERROR",
  [ProtoJobStatus.JOB_STATUS_SUCCESS]: "SUCCESS",
};

/** GetRunState and SaveCheckpoint as RunStates. */
export class RunStateClient implements RunStates {
  readonly #link: ControllerLink;
  readonly #incarnation: string;

  /** @param incarnation the process that holds the jobs */
  constructor(link: ControllerLink, incarnation: string) {
    this.#link = link;
    this.#incarnation = incarnation;
  }

  async read(lease: Lease, signal: AbortSignal): Promise<RunState> {
    const request = { lease, incarnation: this.#incarnation };
    const call = () => unaryCall(this.#link.client, WorkerServiceService.getRunState, request, { deadlineMs, signal });
    return toRunState(await resend(lease, call, signal));
  }

  async saveCheckpoint(lease: Lease, checkpoint: string, signal: AbortSignal): Promise<void> {
    const request = { lease, incarnation: this.#incarnation, checkpoint };
    const { saveCheckpoint } = WorkerServiceService;
    await resend(lease, () => unaryCall(this.#link.client, saveCheckpoint, request, { deadlineMs, signal }), signal);
  }
}

function toRunState({
  checkpoint,
  executionTotals,
  enqueueTime,
  currentTime = new Date(),
}: GetRunStateResponse): RunState {
  if (enqueueTime === undefined) {
    throw new JobFailure("INTERNAL", "the controller did not say when the job was launched", { retryable: true });
  }
  const counts = executionTotals.flatMap(({ status, count }) => {
    const name = statuses[status];
    return name === undefined ? [] : [[name, count] as const];
  });
  return { checkpoint, subJobs: Object.fromEntries(counts), launchedAt: enqueueTime, now: currentTime };
}
