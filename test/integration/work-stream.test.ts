import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createWorker, type WorkerOptions, type WorkerService } from "@drydock/scanner-worker/app.ts";
import { JobFailure } from "@drydock/scanner-worker/domain/job-failure.ts";
import type { JobType } from "@drydock/scanner-worker/ports/job.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { JobCommand } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { Outcome, ResultVerdict } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { toServiceError } from "@drydock/shared/grpc/status.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { ScriptedController } from "../support/scripted-controller.ts";
import { anyJob, held, quick } from "../support/small-job-types.ts";

const lease = { jobId: "job-1", token: 3 };
const logger = createLogger({ name: "test", level: "silent" });

let controller: ScriptedController;
let worker: WorkerService;

function start(jobTypes: JobType[], overrides: Partial<WorkerOptions> = {}, drainMs = 0): Promise<void> {
  const settings = { controller: controller.target, workerId: "worker-1", slots: 4, drainMs };
  worker = createWorker({ settings, jobTypes, logger, ...overrides });
  return worker.start();
}

beforeEach(async () => {
  controller = new ScriptedController();
  await controller.start();
});

afterEach(async () => {
  controller.stop();
  await worker.stop(AbortSignal.abort());
});

describe("the worker's stream", () => {
  test("begins with who the worker is and what it can run", async () => {
    const started = start([quick]);
    const peer = await controller.works.next();
    const hello = await peer.welcome();
    await started;
    assert.ok(worker.isConnected);
    assert.equal(hello.workerId, "worker-1");
    assert.match(hello.incarnation, /^[0-9a-f-]{36}$/);
    assert.deepEqual([hello.slots, hello.held], [4, []]);
    const [type] = hello.jobTypes;
    assert.deepEqual([type?.name, type?.maxFails], ["QUICK", 2]);
    const schema = JSON.parse(type?.parametersSchema ?? "");
    assert.deepEqual(schema.properties.text, { default: "", type: "string" });
    assert.equal(schema.required, undefined);
  });

  test("accepts a job at once and says how it ended", async () => {
    const job = held();
    void start([job.type]);
    const peer = await controller.works.next();
    await peer.welcome();
    peer.assign({ lease, name: "HELD" });
    assert.deepEqual((await peer.next("accept")).lease, lease);
    (await job.begun).checkin("soon done", { phase: "x", percent: 90 });
    assert.equal((await peer.next("checkin")).text, "soon done");
    job.end();
    const result = await peer.next("result");
    assert.deepEqual([result.lease, result.outcome, result.checkIn], [lease, Outcome.OUTCOME_SUCCESS, "soon done"]);
    assert.deepEqual(result.progress, { phase: "x", percent: 90 });
  });

  test("rejects a job of a type that it does not know", async () => {
    void start([quick]);
    const peer = await controller.works.next();
    await peer.welcome();
    peer.assign({ lease, name: "OTHER" });
    assert.deepEqual((await peer.next("reject")).lease, lease);
  });

  test("says which type it takes no jobs of and why, then for how long the job that met it may wait", async () => {
    const failure = new JobFailure("SCANNER_UNREACHABLE", "clair:6060 can't be reached", { retryable: true });
    const type: JobType = { ...anyJob, name: "AWAY", patienceMs: 3_600_000, run: () => Promise.reject(failure) };
    void start([type]);
    const peer = await controller.works.next();
    await peer.welcome();
    peer.assign({ lease, name: "AWAY" });
    const { slots, closed } = await peer.next("capacity");
    const [away] = closed;
    assert.deepEqual([slots, closed.length], [4, 1]);
    assert.deepEqual([away?.jobType, away?.reason, away?.message], ["AWAY", failure.reason, failure.message]);
    assert.deepEqual(away?.patience, { seconds: 3_600, nanos: 0 });
    assert.ok(Math.abs((away?.since?.getTime() ?? 0) - Date.now()) < 10_000);
    const { outcome, reason, message, patience, retryAfter } = await peer.next("result");
    assert.deepEqual([outcome, reason, message], [Outcome.OUTCOME_POSTPONED, failure.reason, failure.message]);
    assert.deepEqual(patience, { seconds: 3_600, nanos: 0 });
    assert.ok((retryAfter?.seconds ?? 0) >= 2 && (retryAfter?.seconds ?? 0) < 15);
    // A job type without a probe is open again after its wait, which is shorter than that of the result for its log.
    const capacities = peer.received.all.flatMap((message) =>
      message.$case === "capacity" ? message.value.closed.length : [],
    );
    assert.deepEqual(capacities, [1, 0]);
  });

  test("says in its Hello that a type is not yet known to be open, and then that it is", async () => {
    const probed = Promise.withResolvers<void>();
    void start([{ ...quick, probe: () => probed.promise }]);
    const peer = await controller.works.next();
    const { slots, closed } = await peer.welcome();
    assert.deepEqual([slots, closed.map(({ reason }) => reason)], [4, ["STARTING"]]);
    probed.resolve();
    const opened = await peer.next("capacity");
    assert.deepEqual([opened.slots, opened.closed], [4, []]);
  });

  test("beats with all that is held, and abandons what is lost", async () => {
    const job = held();
    void start([job.type]);
    const peer = await controller.works.next();
    await peer.welcome({ beatMs: 30 });
    peer.assign({ lease, name: "HELD" });
    const { signal } = await job.begun;
    const beat = await peer.received.next((message) => message.$case === "beat" && message.value.held.length > 0);
    assert.ok(beat.$case === "beat");
    assert.deepEqual(beat.value.held, [lease]);
    peer.send({ $case: "beatAck", value: { sequence: beat.value.sequence, lost: [lease], commands: [] } });
    const next = await peer.received.next((message) => message.$case === "beat" && message.value.held.length === 0);
    assert.ok(next.$case === "beat");
    assert.equal(signal.reason.kind, "lost");
    assert.ok(!peer.received.all.some(({ $case }) => $case === "result"));
  });

  test("brings a stop to the handler and confirms it, also when it comes with the answer to a beat", async () => {
    for (const asked of ["command", "beatAck"] as const) {
      const job = held();
      void start([job.type]);
      const peer = await controller.works.next();
      await peer.welcome({ beatMs: 30 });
      peer.assign({ lease, name: "HELD" });
      const { signal } = await job.begun;
      const command = { lease, command: JobCommand.JOB_COMMAND_CANCEL };
      if (asked === "command") peer.send({ $case: "command", value: command });
      else peer.send({ $case: "beatAck", value: { sequence: 1, lost: [], commands: [command] } });
      assert.equal((await peer.next("result")).outcome, Outcome.OUTCOME_CANCELLED);
      assert.equal(signal.reason.kind, "cancel");
      await worker.stop(AbortSignal.abort());
    }
  });
});

describe("a worker whose stream breaks", () => {
  test("goes on with its jobs and names them on the next stream", async () => {
    const job = held();
    void start([job.type]);
    const first = await controller.works.next();
    const { incarnation } = await first.welcome();
    first.assign({ lease, name: "HELD" });
    await first.next("accept");
    first.fail(toServiceError(new ReasonedError("SHUTTING_DOWN", "bye")).error);
    const second = await controller.works.next();
    const hello = await second.welcome({ keep: [lease] });
    assert.deepEqual([hello.incarnation, hello.held], [incarnation, [lease]]);
    assert.equal((await job.begun).signal.aborted, false);
    job.end();
    assert.equal((await second.next("result")).outcome, Outcome.OUTCOME_SUCCESS);
  });

  test("sends a result again until it is acknowledged, and drops it when told to", async () => {
    void start([quick]);
    const first = await controller.works.next();
    await first.welcome();
    first.assign({ lease, name: "QUICK" });
    const other = { jobId: "job-2", token: 1 };
    first.assign({ lease: other, name: "QUICK" });
    const done = { jobId: "job-3", token: 1 };
    first.assign({ lease: done, name: "QUICK" });
    for (let count = 0; count < 3; count += 1) await first.next("result");
    first.send({ $case: "resultAck", value: { lease: done, verdict: ResultVerdict.RESULT_VERDICT_ACCEPTED } });
    first.end();
    const second = await controller.works.next();
    const hello = await second.welcome({ keep: [lease], drop: [other] });
    assert.deepEqual(hello.held, [lease, other]);
    assert.deepEqual((await second.next("result")).lease, lease);
    second.end();
    const third = await controller.works.next();
    assert.deepEqual((await third.welcome({ keep: [lease] })).held, [lease]);
  });

  test("gives up a stream on which nobody answers its beats", async () => {
    void start([quick]);
    const first = await controller.works.next();
    await first.welcome({ beatMs: 20 });
    await first.ended;
    const second = await controller.works.next();
    assert.equal((await second.next("hello")).workerId, "worker-1");
    assert.equal(first.received.all.filter(({ $case }) => $case === "beat").length, 2);
  });

  test("comes back when it is asked to connect again", async () => {
    const job = held();
    void start([job.type]);
    const first = await controller.works.next();
    await first.welcome();
    first.assign({ lease, name: "HELD" });
    await first.next("accept");
    first.send({ $case: "reconnect", value: { after: { seconds: 0, nanos: 5e6 } } });
    await first.ended;
    const second = await controller.works.next();
    assert.deepEqual((await second.next("hello")).held, [lease]);
    job.end();
  });

  test("is gone, and abandons everything, when a newer process has its id", async () => {
    const gone = Promise.withResolvers<string>();
    const job = held();
    void start([job.type], { onGone: gone.resolve });
    const peer = await controller.works.next();
    await peer.welcome();
    peer.assign({ lease, name: "HELD" });
    const { signal } = await job.begun;
    peer.fail(toServiceError(new ReasonedError("WORKER_SUPERSEDED", "there is a newer one")).error);
    assert.equal(await gone.promise, "superseded");
    assert.equal(signal.reason.kind, "lost");
    assert.equal(worker.isConnected, false);
  });
});

describe("a worker that is to stop", () => {
  test("says so, gives back what still runs and ends the stream once that is acknowledged", async () => {
    const job = held();
    void start([job.type]);
    const peer = await controller.works.next();
    await peer.welcome();
    peer.assign({ lease, name: "HELD" });
    await job.begun;
    const stopped = worker.stop();
    await peer.next("draining");
    assert.equal((await peer.next("result")).outcome, Outcome.OUTCOME_RELEASED);
    peer.send({ $case: "resultAck", value: { lease, verdict: ResultVerdict.RESULT_VERDICT_ACCEPTED } });
    await Promise.all([peer.ended, stopped]);
  });

  test("is gone when the controller drained it, after its last job", async () => {
    const gone = Promise.withResolvers<string>();
    const job = held();
    void start([job.type], { onGone: gone.resolve });
    const peer = await controller.works.next();
    await peer.welcome();
    peer.assign({ lease, name: "HELD" });
    await job.begun;
    peer.send({ $case: "drain", value: {} });
    await peer.next("draining");
    job.end();
    await peer.next("result");
    peer.send({ $case: "resultAck", value: { lease, verdict: ResultVerdict.RESULT_VERDICT_ACCEPTED } });
    assert.equal(await gone.promise, "drained");
  });
});
