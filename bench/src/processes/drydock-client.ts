import { setTimeout as sleep } from "node:timers/promises";
import { type JobStats, JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  type CheckStatusResponse,
  JobServiceClient,
  LaunchJobRequest,
  LaunchJobsRequest,
  ListJobsRequest,
  JobServiceService as service,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { createChannelOptions, unaryCall } from "@drydock/shared/grpc/client.ts";
import { credentials } from "@grpc/grpc-js";
import { createPayload, nowMs } from "../payload.ts";
import { serve } from "../stack/serve.ts";
import type { ClientApi, Touches } from "./api.ts";
import { cpuSeconds } from "./cpu-seconds.ts";
import { inParallel, steadily, timed } from "./pace.ts";
import { Sample } from "./sample.ts";

const deadlineMs = 60_000;
const pollMs = 10;
/** Jobs of a bulk call. */
const bulk = 1_000;
/** Jobs of a page of a list. */
const pageSize = 50;

const client = new JobServiceClient(
  process.env.BENCH_TARGET ?? "",
  credentials.createInsecure(),
  createChannelOptions(),
);
/** Number of jobs that are looked at in the end. */
const looked = 100;
/** Of the jobs launched alone, and of those in bulk. */
const sample = new Sample<string>(100);
const bulkSample = new Sample<string>(10);

async function launch(name = "NOOP"): Promise<void> {
  const request = LaunchJobRequest.fromPartial({ job: { name, parameters: createPayload() } });
  const { stats } = await unaryCall(client, service.launchJob, request, { deadlineMs });
  sample.add(idOf(stats));
}

async function launchBulk(): Promise<void> {
  const jobs = Array.from({ length: bulk }, () => ({ name: "NOOP", parameters: createPayload() }));
  const request = LaunchJobsRequest.fromPartial({ jobs });
  const { results } = await unaryCall(client, service.launchJobs, request, { deadlineMs });
  for (const { result } of results) bulkSample.add(idOf(result?.$case === "stats" ? result.value : undefined));
}

function idOf(stats: JobStats | undefined): string {
  if (stats === undefined) throw new Error("a job was not launched");
  return stats.id;
}

async function untilDone(): Promise<number> {
  while (!isDone(await unaryCall(client, service.checkStatus, {}, { deadlineMs }))) await sleep(pollMs);
  const at = nowMs();
  for (const jobId of [...sample.take(looked), ...bulkSample.take(looked)]) {
    const { stats } = await unaryCall(client, service.getJob, { jobId }, { deadlineMs });
    if (stats?.status !== JobStatus.JOB_STATUS_SUCCESS)
      throw new Error(`job ${jobId} is ${stats?.status}, not SUCCESS`);
  }
  for (const rest of [sample, bulkSample]) rest.clear();
  return at;
}

function isDone({ queues }: CheckStatusResponse): boolean {
  return queues.every(({ pending, running, scheduled }) => pending + running + scheduled === 0);
}

async function touch(count: number): Promise<Touches> {
  const jobIds = bulkSample.take(count);
  const list = () => unaryCall(client, service.listJobs, ListJobsRequest.fromPartial({ pageSize }), { deadlineMs });
  const waiting: string[] = [];
  const read = async (jobId: string) => {
    const { stats } = await unaryCall(client, service.getJob, { jobId }, { deadlineMs });
    // a worker may have taken some of the oldest
    if (stats?.status === JobStatus.JOB_STATUS_PENDING) waiting.push(jobId);
  };
  return {
    read: await timed(jobIds, read),
    list: await timed(jobIds, list),
    stop: await timed(waiting, (jobId) => unaryCall(client, service.stopJob, { jobId }, { deadlineMs })),
  };
}

serve<ClientApi>({
  launch: (count, inFlight) => inParallel(count, inFlight, () => launch()),
  launchInBulk: (count, callsInFlight) => inParallel(Math.ceil(count / bulk), callsInFlight, launchBulk),
  launchInTurn: (count) => timed(Array.from({ length: count }), () => launch()),
  launchSteadily: (perSecond, seconds) => steadily(perSecond, seconds, () => launch()),
  launchHeld: async (count) => void (await inParallel(count, count, () => launch("HOLD"))),
  untilDone,
  touch,
  cpuSeconds,
});
