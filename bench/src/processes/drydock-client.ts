import { setTimeout as sleep } from "node:timers/promises";
import { JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  type CheckStatusResponse,
  JobServiceClient,
  JobServiceService,
  LaunchJobRequest,
  LaunchJobsRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { createChannelOptions, unaryCall } from "@drydock/shared/grpc/client.ts";
import { credentials } from "@grpc/grpc-js";
import { createPayload, nowMs } from "../payload.ts";
import { serve } from "../stack/serve.ts";
import type { ClientApi } from "./api.ts";
import { cpuSeconds } from "./cpu-seconds.ts";
import { inParallel, inTurn, steadily } from "./pace.ts";

const deadlineMs = 60_000;
const pollMs = 10;
/** One of so many jobs is looked at in the end. */
const sampleEvery = 500;
/** Jobs of a bulk call. */
const bulk = 1_000;

const client = new JobServiceClient(
  process.env.BENCH_TARGET ?? "",
  credentials.createInsecure(),
  createChannelOptions(),
);
let launches = 0;
let bulks = 0;
let sample: string[] = [];

/** Launches a job as a client does. */
function launch(name = "NOOP"): Promise<void> {
  const request = LaunchJobRequest.fromPartial({ job: { name, parameters: createPayload() } });
  return new Promise((resolve, reject) => {
    client.launchJob(request, (error) => (error === null ? resolve() : reject(error)));
  });
}

const asIs = (bytes: Buffer) => bytes;
const { launchJob, launchJobs } = JobServiceService;
const job = { name: "NOOP", parameters: createPayload() };
const preparedJob = launchJob.requestSerialize(LaunchJobRequest.fromPartial({ job }));
const preparedJobs = launchJobs.requestSerialize(
  LaunchJobsRequest.fromPartial({ jobs: Array.from({ length: bulk }, () => job) }),
);

/**
 * Makes a call whose bytes are made already: this process shares the machine with what is measured, so its own work must
 * be small. For the same reason few answers are read.
 */
function callPrepared(path: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, request, (error, answer) => {
      if (error !== null) reject(error);
      else resolve(answer ?? Buffer.alloc(0));
    });
  });
}

async function launchPrepared(): Promise<void> {
  const answer = await callPrepared(launchJob.path, preparedJob);
  if (launches++ % sampleEvery === 0) addToSample(launchJob.responseDeserialize(answer).stats?.id);
}

async function launchPreparedBulk(): Promise<void> {
  const answer = await callPrepared(launchJobs.path, preparedJobs);
  if (bulks++ % 10 > 0) return;
  const [first] = launchJobs.responseDeserialize(answer).results;
  addToSample(first?.result?.$case === "stats" ? first.result.value.id : undefined);
}

function addToSample(jobId: string | undefined): void {
  if (jobId === undefined) throw new Error("a job was not launched");
  sample.push(jobId);
}

async function untilDone(): Promise<number> {
  while (!isDone(await unaryCall(client, JobServiceService.checkStatus, {}, { deadlineMs }))) await sleep(pollMs);
  const at = nowMs();
  const looked = sample;
  sample = [];
  for (const jobId of looked) {
    const { stats } = await unaryCall(client, JobServiceService.getJob, { jobId }, { deadlineMs });
    if (stats?.status !== JobStatus.JOB_STATUS_SUCCESS)
      throw new Error(`job ${jobId} is ${stats?.status}, not SUCCESS`);
  }
  return at;
}

function isDone({ queues }: CheckStatusResponse): boolean {
  return queues.every(({ pending, running, scheduled }) => pending + running + scheduled === 0);
}

async function readAndStop(count: number): Promise<void> {
  for (const jobId of sample.splice(-count)) {
    await unaryCall(client, JobServiceService.getJob, { jobId }, { deadlineMs });
    await unaryCall(client, JobServiceService.stopJob, { jobId }, { deadlineMs });
  }
}

serve<ClientApi>({
  launch: (count, inFlight) => inParallel(count, inFlight, launchPrepared),
  launchInBulk: (count, callsInFlight) => inParallel(Math.ceil(count / bulk), callsInFlight, launchPreparedBulk),
  launchInTurn: (count) => inTurn(count, () => launch()),
  launchSteadily: (perSecond, seconds) => steadily(perSecond, seconds, () => launch()),
  launchHeld: async (count) => void (await inParallel(count, count, () => launch("HOLD"))),
  untilDone,
  readAndStop,
  cpuSeconds,
});
