import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobServiceService } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import type { ScriptedWorker } from "../support/scripted-worker.ts";
import { until } from "../support/until.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const options = { deadlineMs: 5_000 };

describe("a queue whose jobs nobody runs", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig();
  });
  after(() => rig.stop());

  const status = () => unaryCall(rig.api.client, JobServiceService.checkStatus, {}, options);
  const queueOf = async (type: string) => (await status()).queues.find(({ name }) => name === type);
  const listedQueueOf = async (type: string) => {
    const page = { pageSize: 200, pageToken: "" };
    const { queues } = await unaryCall(rig.api.client, QueueServiceService.listQueues, page, options);
    return queues.find(({ name }) => name === type);
  };
  const checkInIs = (jobId: string, text: string) =>
    until(
      `the check-in is "${text}"`,
      async () => (await rig.api.get(jobId)).checkIn,
      (checkIn) => checkIn === text,
      { withinMs: 3_000 },
    );
  const poolOf = async ({ hello }: ScriptedWorker) =>
    (await status()).pools.find(({ workerId }) => workerId === hello.workerId);

  test("says that no worker takes them when all are gone, or drain, and nothing more once one is there", async () => {
    const type = rig.newType();
    const noWorker = {
      reason: "NO_WORKER",
      message: `no worker takes ${type}; start one that is set up for it`,
      since: undefined,
      workers: 0,
    };
    const gone = await rig.join(type);
    gone.send({ $case: "draining", value: {} });
    await until("it drains", async () => (await poolOf(gone))?.draining, Boolean);
    assert.equal((await queueOf(type))?.waitingFor, undefined, "no job waits");
    const { id } = await rig.api.launch(type, {});
    assert.deepEqual((await queueOf(type))?.waitingFor, noWorker);
    await gone.leave();
    assert.deepEqual((await queueOf(type))?.waitingFor, noWorker);
    assert.deepEqual((await listedQueueOf(type))?.waitingFor, noWorker);
    await checkInIs(id, `waits: no worker takes ${type}; start one that is set up for it`);
    const listed = (await rig.api.list()).find((job) => job.id === id);
    assert.equal(listed?.checkIn, `waits: no worker takes ${type}; start one that is set up for it`);

    const other = await rig.join(type);
    const { lease } = await other.takeJob();
    assert.equal((await rig.api.get(id)).checkIn, "");
    const next = await rig.api.launch(type, {});
    await checkInIs(next.id, "");
    assert.equal((await queueOf(type))?.waitingFor, undefined, "the worker is busy");
    await other.reports(lease);
  });

  test("says that it is paused, also to those who watch, and which queues are", async () => {
    const type = rig.newType();
    const worker = await rig.join(type);
    await unaryCall(rig.api.client, QueueServiceService.pauseQueue, { name: type }, options);
    const { id } = await rig.api.launch(type, {});
    const watched: string[] = [];
    const watching = (async () => {
      for await (const job of rig.api.watch(id)) watched.push(job.checkIn);
    })();
    const { paused, waitingFor } = (await queueOf(type)) ?? {};
    assert.deepEqual(
      [paused, waitingFor],
      [true, { reason: "QUEUE_PAUSED", message: "the queue is paused", since: undefined, workers: 0 }],
    );
    assert.deepEqual((await listedQueueOf(type))?.waitingFor, waitingFor);
    await checkInIs(id, "waits: the queue is paused");
    await until(
      "its watchers see it",
      () => watched.at(-1),
      (checkIn) => checkIn === "waits: the queue is paused",
    );
    await unaryCall(rig.api.client, QueueServiceService.resumeQueue, { name: type }, options);
    await worker.reports((await worker.takeJob()).lease);
    await watching;
    assert.equal(watched.at(-1), "");
    assert.deepEqual((await queueOf(type))?.paused, false);
  });

  test("shows when a worker last beat, and nothing in its place once its stream is broken", async () => {
    const worker = await rig.join(rig.newType());
    const { startedAt, heartbeatAt } = (await poolOf(worker)) ?? assert.fail();
    assert.ok(startedAt !== undefined && heartbeatAt !== undefined && heartbeatAt >= startedAt);
    await worker.breakOff();
    const cut = await until(
      "its lease is cut",
      () => poolOf(worker),
      (pool) => pool?.heartbeatAt === undefined,
    );
    assert.equal(cut?.workerId, worker.hello.workerId, "it is shown as long as its lease lasts");
  });
});
