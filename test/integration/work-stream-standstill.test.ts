import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createWorker, type WorkerOptions, type WorkerService } from "@drydock/scanner-worker/app.ts";
import type { JobType } from "@drydock/scanner-worker/ports/job.ts";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { ScriptedController } from "../support/scripted-controller.ts";
import { held, quick } from "../support/small-job-types.ts";

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

describe("a worker that stood still", () => {
  /** A welcome worker with one running job, which stood still just now; and the beat with which it asks. */
  async function standStill(context: TestContext) {
    context.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const job = held();
    void start([job.type, quick]);
    const peer = await controller.works.next();
    await peer.welcome();
    peer.assign({ lease, name: "HELD" });
    const { signal } = await job.begun;
    await peer.next("accept");
    context.mock.timers.setTime(Date.now() + 8_000);
    const { sequence, held: named } = await peer.next("beat");
    assert.deepEqual(named, [lease]);
    const answerTo = (sequence: number, ...lost: Array<typeof lease>) =>
      peer.send({ $case: "beatAck", value: { sequence, lost, commands: [] } });
    const answer = (...lost: Array<typeof lease>) => answerTo(sequence, ...lost);
    return { job, peer, signal, answer, answerTo };
  }

  test("asks what it still holds, and abandons at once what is lost", async (context) => {
    const { peer, signal, answer } = await standStill(context);
    answer(lease);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    assert.equal(signal.reason.kind, "lost");
    assert.ok(!peer.received.all.some(({ $case }) => $case === "result"));
  });

  test("says how runs ended when it has the answer, not before", async (context) => {
    const { job, peer, answer } = await standStill(context);
    job.end();
    await setTimeout(50);
    assert.ok(!peer.received.all.some(({ $case }) => $case === "result"));
    answer();
    assert.equal((await peer.next("result")).outcome, Outcome.OUTCOME_SUCCESS);
  });

  test("begins what was assigned to it meanwhile when it has asked for it too, without what is lost", async (context) => {
    const { peer, answer, answerTo } = await standStill(context);
    const [lost, own] = [
      { jobId: "job-2", token: 4 },
      { jobId: "job-3", token: 5 },
    ];
    peer.assign({ lease: lost, name: "QUICK" });
    peer.assign({ lease: own, name: "QUICK" });
    await setTimeout(50);
    const answers = () => peer.received.all.filter(({ $case }) => $case === "accept" || $case === "result").length;
    assert.equal(answers(), 1);
    // they were read after the question, which does not name them
    answer();
    const { sequence, held: named } = await peer.next("beat");
    assert.deepEqual(named, [lease, lost, own]);
    await setTimeout(50);
    assert.equal(answers(), 1);
    answerTo(sequence, lost);
    assert.deepEqual((await peer.next("result")).lease, own);
    const begun = peer.received.all.filter(({ $case }) => $case === "accept" || $case === "result");
    assert.ok(!JSON.stringify(begun).includes(lost.jobId));
  });

  test("goes on meanwhile with what the first answer left it", async (context) => {
    const { job, peer, answer } = await standStill(context);
    peer.assign({ lease: { jobId: "job-2", token: 4 }, name: "QUICK" });
    job.end();
    await setTimeout(50);
    answer();
    assert.deepEqual((await peer.next("result")).lease, lease);
  });
});
