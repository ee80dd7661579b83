import { fieldsInvalid, ReasonedError } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { LaunchSubJobResult } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { Status } from "@drydock/shared/gen/google/rpc/status.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { launchSubJob as launchOne } from "../usecases/launch-job.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { toHeldLease } from "./convert.ts";
import type { JobAnswers } from "./job-answers.ts";
import { toBriefStatus, toStatus } from "./result-status.ts";
import { validateSubJob } from "./validate-launch.ts";

const maxLaunches = 1_000;
/** Maximum size of a result that is a job's id, in bytes. */
const idBytes = 32;

/** What launches of sub-jobs need. */
export interface SubJobCallDeps extends UseCaseDeps {
  memory: AnswerMemory;
  jobs: JobAnswers;
}

/** LaunchSubJob. */
export async function launchSubJob(
  deps: SubJobCallDeps,
  request: message.LaunchSubJobRequest,
  call: CallContext,
): Promise<message.LaunchSubJobResponse> {
  const launch = { ...validateSubJob(request), traceparent: call.traceparent ?? "" };
  return deps.jobs.changed(await launchOne(deps, toHeldLease(request), launch), call);
}

/** LaunchSubJobs: each launch has its own result, but for what concerns all of them. */
export async function launchSubJobs(
  deps: SubJobCallDeps,
  request: message.LaunchSubJobsRequest,
  call: CallContext,
): Promise<message.LaunchSubJobsResponse> {
  const { jobs } = request;
  if (jobs.length > maxLaunches) {
    throw fieldsInvalid([{ field: "jobs", description: `must not be more than ${maxLaunches}` }]);
  }
  const parent = toHeldLease(request);
  const traceparent = call.traceparent ?? "";
  const launch = async (job: message.LaunchSubJobRequest, at: number): Promise<LaunchSubJobResult> => {
    const field = `jobs[${at}]`;
    try {
      const { id, upstreamJobId } = await launchOne(deps, parent, {
        ...validateSubJob(job, field),
        field,
        traceparent,
      });
      return { result: { $case: "jobId", value: id }, isOthers: upstreamJobId !== parent.jobId };
    } catch (error) {
      if (concernsAll(error, parent.jobId)) throw error;
      return { result: { $case: "error", value: toStatus(error) }, isOthers: false };
    }
  };
  const results = await Promise.all(jobs.map(launch));
  const page = new AnswerPage(LaunchSubJobResult);
  const end = results.findIndex((result) => !page.add(result, result.result?.$case === "jobId" ? idBytes : undefined));
  return deps.memory.roomFor(call).makeOrBrief(
    page.bytes,
    () => ({ results: end === -1 ? results : [...page.messages, ...results.slice(end).map(toBrief)] }),
    () => ({ results: results.map(toBrief) }),
  );
}

/** Whether it is the job that launches which the error is about. */
function concernsAll(error: unknown, parentId: string): boolean {
  if (!(error instanceof ReasonedError)) return false;
  return error.reason === "LEASE_LOST" || error.facts.metadata?.job_id === parentId;
}

function toBrief({ result, isOthers }: LaunchSubJobResult): LaunchSubJobResult {
  if (result?.$case === "jobId") return { result, isOthers };
  return { result: { $case: "error", value: toBriefStatus(Status.fromPartial(result?.value ?? {})) }, isOthers };
}
