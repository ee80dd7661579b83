import { setTimeout as sleep } from "node:timers/promises";
import { JobStatus } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import {
  type CheckStatusResponse,
  JobServiceClient,
  JobServiceService,
  LaunchJobRequest,
  LaunchJobResponse,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { createChannelOptions, unaryCall } from "@drydock/shared/grpc/client.ts";
import { credentials } from "@grpc/grpc-js";
import { createPayload, nowMs } from "../payload.ts";
import { serve } from "../stack/serve.ts";
import type { ClientApi } from "./api.ts";
import { inParallel, inTurn, steadily } from "./pace.ts";

const deadlineMs = 60_000;
const pollMs = 10;
/** One of so many jobs is looked at in the end. */
const sampleEvery = 500;

const client = new JobServiceClient(
  process.env.BENCH_TARGET ?? "",
  credentials.createInsecure(),
  createChannelOptions(),
);
let launches = 0;
let sample: string[] = [];

/** Launches a job as a client does. */
function launch(name = "NOOP"): Promise<void> {
  const request = LaunchJobRequest.fromPartial({ job: { name, parameters: createPayload() } });
  return new Promise((resolve, reject) => {
    client.launchJob(request, (error) => (error === null ? resolve() : reject(error)));
  });
}

const { path } = JobServiceService.launchJob;
const prepared = Buffer.from(
  LaunchJobRequest.encode(
    LaunchJobRequest.fromPartial({ job: { name: "NOOP", parameters: createPayload() } }),
  ).finish(),
);
const asIs = (bytes: Buffer) => bytes;

/**
 * Launches a job whose bytes are made already, and does not read the answer: this process shares the machine with what
 * is measured, so its own work must be small.
 */
function launchPrepared(): Promise<void> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, prepared, (error, answer) => {
      if (error !== null) return reject(error);
      if (answer !== undefined && launches++ % sampleEvery === 0) sample.push(idOf(answer));
      resolve();
    });
  });
}

function idOf(answer: Buffer): string {
  return LaunchJobResponse.decode(answer).stats?.id ?? "";
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
  fill: async (count) => void (await inParallel(count, 200, launchPrepared)),
  launchInTurn: (count) => inTurn(count, () => launch()),
  launchSteadily: (perSecond, seconds) => steadily(perSecond, seconds, () => launch()),
  launchHeld: async (count) => void (await inParallel(count, count, () => launch("HOLD"))),
  untilDone,
  readAndStop,
});
