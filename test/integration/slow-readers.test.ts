import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  GetJobRequest,
  JobServiceService as jobs,
  WatchJobRequest,
  WatchJobResponse,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import type { Lease } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { WorkerServiceClient } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { toRpcError } from "@drydock/shared/grpc/client.ts";
import { credentials, status } from "@grpc/grpc-js";
import { refusalOf } from "../support/refusal.ts";
import type { ScriptedWorker } from "../support/scripted-worker.ts";
import { UnreadCall, UnreadConnection } from "../support/unread-call.ts";
import { until } from "../support/until.ts";
import { startWorkerRig, type WorkerRig } from "../support/worker-rig.ts";

const mebibyte = 1024 * 1024;
const text = "x".repeat(200_000);

describe("a client that does not read", () => {
  let rig: WorkerRig;
  before(async () => {
    rig = await startWorkerRig();
  });
  after(() => rig.stop());

  /** A job that a worker holds, by default one of that size. */
  async function heldJob(
    parameters: Record<string, unknown> = { text },
  ): Promise<{ worker: ScriptedWorker; lease: Lease }> {
    const type = rig.newType();
    const worker = await rig.join(type);
    await rig.api.launch(type, parameters);
    return { worker, lease: (await worker.takeJob()).lease };
  }

  const sayTo = (worker: ScriptedWorker, lease: Lease, at: number) =>
    worker.send({ $case: "checkin", value: { lease, text: `step ${at}`, progress: undefined } });

  const watch = (jobId: string) =>
    new UnreadCall(
      rig.controller.address,
      jobs.watchJob.path,
      WatchJobRequest.encode({ jobId, afterRevision: 0 }).finish(),
    );

  test("is sent the parameters once, then what changed", async () => {
    const { worker, lease } = await heldJob();
    const sizes: number[] = [];
    const seen: Array<string | undefined> = [];
    for await (const job of rig.api.watch(lease.jobId)) {
      sizes.push(JSON.stringify(job).length);
      seen.push(job.parameters === undefined ? undefined : "parameters");
      if (sizes.length < 4) sayTo(worker, lease, sizes.length);
      else if (sizes.length === 4) await worker.reports(lease);
    }
    assert.deepEqual(seen.slice(0, 5), ["parameters", undefined, undefined, undefined, undefined]);
    assert.ok(sizes.slice(1).every((size) => size < 2_000));
  });

  test("who resumes behind a revision gets the parameters with the first change", async () => {
    const { worker, lease } = await heldJob();
    const { revision } = await rig.api.get(lease.jobId);
    const watching = rig.api.watch(lease.jobId, revision);
    const next = watching.next();
    sayTo(worker, lease, 1);
    const { value } = await next;
    assert.deepEqual(value?.parameters, { text });
    await watching.return(undefined);
  });

  test("keeps one answer in memory, however many changes there are, and then reads the newest state", async () => {
    const { worker, lease } = await heldJob();
    const before = await residentBytes(rig);
    const calls = Array.from({ length: 150 }, () => watch(lease.jobId));
    for (let at = 1; at <= 300; at++) {
      sayTo(worker, lease, at);
      await sleep(10);
    }
    const growth = (await residentBytes(rig)) - before;
    // 16 answers each, as a stream of grpc-js holds, would be 480 MB, and their objects as much again
    assert.ok(growth < 250 * mebibyte, `memory grew by ${growth / mebibyte} MiB`);
    const [first = assert.fail()] = calls;
    const checkIns: string[] = [];
    for await (const message of first.messages()) {
      checkIns.push(WatchJobResponse.decode(message).stats?.checkIn ?? "");
      if (checkIns.at(-1) === "step 300") break;
    }
    assert.ok(checkIns.length < 20, `${checkIns.length} answers until the newest state`);
    for (const call of calls) call.close();
  });

  test("has no more large answers than there is memory for, and others are answered", async () => {
    const { lease } = await heldJob();
    const { lease: small } = await heldJob({});
    const request = GetJobRequest.encode({ jobId: lease.jobId }).finish();
    const connections = Array.from({ length: 50 }, () => new UnreadConnection(rig.controller.address));
    const statuses: string[] = [];
    for (let at = 0; at < 1_000; at++) {
      const call = connections[at % connections.length]?.call(jobs.getJob.path, request);
      call?.once("response", (headers) => statuses.push(String(headers["grpc-status"] ?? "answered")));
    }
    await until(
      "all calls have an answer",
      async () => statuses.length,
      (count) => count === 1_000,
    );
    const answered = statuses.filter((code) => code === "answered").length;
    assert.ok(answered * text.length <= 128 * mebibyte, `${answered} answers are in memory`);
    assert.deepEqual(new Set(statuses), new Set(["answered", String(status.RESOURCE_EXHAUSTED)]));
    assert.equal((await rig.api.get(small.jobId)).status, "RUNNING");
    const { reason, retryAfterMs } = await refusalOf(rig.api.get(lease.jobId));
    assert.deepEqual([reason, retryAfterMs], ["SERVER_BUSY", 1_000]);
    for (const connection of connections) connection.close();
    const job = await until(
      "there is room again",
      () => rig.api.get(lease.jobId).catch(() => undefined),
      (job) => job !== undefined,
    );
    assert.deepEqual(job?.parameters, { text });
  });

  test("is not sent more of a log than it takes", async () => {
    const { worker, lease } = await heldJob();
    const line = `${"l".repeat(8_191)}\n`;
    const stream = worker.client.streamLogs();
    const piece = line.repeat(32);
    let offset = 0;
    for (let at = 0; at < 3; at++) {
      stream.write({ lease, offset, text: piece, incarnation: worker.hello.incarnation ?? "" });
      const [{ durableOffset }] = await new Promise<[{ durableOffset: number }]>((resolve) =>
        stream.once("data", (answer) => resolve([answer])),
      );
      offset = durableOffset;
    }
    stream.cancel();
    stream.on("error", () => {});
    const pieces: number[] = [];
    for await (const { text: part } of rig.api.logPieces(lease.jobId)) pieces.push(Buffer.byteLength(part));
    assert.equal(
      pieces.reduce((sum, size) => sum + size, 0),
      3 * piece.length,
    );
    assert.ok(
      pieces.every((size) => size <= 64 * 1024),
      "a piece that came as 256 KiB is read in parts",
    );
  });

  test("as a worker that sends logs is not read on, and not kept", async () => {
    const { worker, lease } = await heldJob();
    const client = new WorkerServiceClient(rig.controller.address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const stream = client.streamLogs();
    const ended = new Promise((resolve) => stream.on("error", resolve));
    const before = await residentBytes(rig);
    // nobody listens to "data"
    let written = 0;
    for (let isFull = false; !isFull && written < 200_000; written++) {
      isFull = !stream.write({ lease, offset: 0, text: "", incarnation: "" }) && written > 50_000;
      if (written % 1_000 === 0) await sleep(1);
    }
    const growth = (await residentBytes(rig)) - before;
    assert.ok(growth < 100 * mebibyte, `memory grew by ${growth / mebibyte} MiB`);
    stream.cancel();
    assert.equal(toRpcError(await ended).code, "CANCELLED");
    client.close();
    assert.equal((await rig.api.get(lease.jobId)).status, "RUNNING");
    assert.equal(worker.hasReceived("drain"), false);
  });
});

/** What the controller has in memory. */
async function residentBytes({ controller }: WorkerRig): Promise<number> {
  const metrics = await (await fetch(new URL("/metrics", controller.opsUrl))).text();
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
}
