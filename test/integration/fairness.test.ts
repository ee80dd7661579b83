import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { JobServiceService, LaunchJobsRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import type { Lease } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

const bulk = { jobs: 100_000, perCall: 1_000 };
const slots = 4;
const workedOff = 500;
const scans = 20;
const deadlineMs = 30_000;

let stack: Stack;
let controller: Controller;
before(async () => {
  stack = await startStack();
  controller = await stack.startController();
});
after(async () => {
  await controller.process.kill();
  await stack.stop();
});

/** Launches the bulk of the jobs, all of one fairness key. */
async function launchBulk(): Promise<void> {
  const { client } = controller.api;
  const jobs = Array.from({ length: bulk.perCall }, () => ({ name: "SCAN", fairnessKey: "scan-all" }));
  for (let launched = 0; launched < bulk.jobs; launched += bulk.perCall) {
    const request = LaunchJobsRequest.fromPartial({ jobs });
    const { results } = await unaryCall(client, JobServiceService.launchJobs, request, { deadlineMs });
    assert.ok(results.every(({ result }) => result?.$case === "stats"));
  }
}

async function waiting(): Promise<number> {
  const { queues } = await unaryCall(
    controller.api.client,
    QueueServiceService.listQueues,
    { pageSize: 0, pageToken: "" },
    { deadlineMs },
  );
  return queues.find(({ name }) => name === "SCAN")?.pending ?? 0;
}

test("a single scan gets the next free slot while 100,000 jobs of one key wait", async () => {
  const jobTypes = [plainType("SCAN")];
  // the type is known before there is somebody to take its jobs
  const nobody = await ScriptedWorker.join(controller.address, { jobTypes, slots: 0 });
  await launchBulk();
  const worker = await ScriptedWorker.join(controller.address, { jobTypes, slots });
  const held: Lease[] = [];
  for (let i = 0; i < slots; i++) held.push((await worker.takeJob()).lease);
  /** Ends the job that runs longest, and gives the next one. */
  const next = async () => {
    const [done] = held.splice(0, 1);
    assert.ok(done);
    await worker.reports(done);
    const { lease } = await worker.takeJob();
    held.push(lease);
    return lease.jobId;
  };
  for (let i = 0; i < workedOff; i++) await next();
  for (let i = 0; i < scans; i++) {
    // all slots are taken: whatever is handed out from now on was free after the launch
    const { id } = await controller.api.launch("SCAN", {});
    assert.equal(await next(), id, `scan ${i} was not the next one`);
    // one of the others has its turn before there is another single scan
    await next();
  }
  assert.equal(await waiting(), bulk.jobs + scans - slots - workedOff - 2 * scans);
  await Promise.all([worker.breakOff(), nobody.breakOff()]);
});
