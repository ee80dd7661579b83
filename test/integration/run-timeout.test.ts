import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import { createWorkerChannel } from "@drydock/job-controller/grpc/worker-channel.ts";
import type { OutboxMessage } from "@drydock/job-controller/grpc/worker-outbox.ts";
import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import type { JobContext, JobType } from "@drydock/scanner-worker/ports/job.ts";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { z } from "zod";
import { ScriptedController } from "../support/scripted-controller.ts";

const logger = createLogger({ name: "test", level: "silent" });
const lease = { jobId: "00000000000001", token: 1 };
const slack = { timeout: 5_000 };

/** The Assign of a controller whose clock is ahead of the worker's, in seconds. */
function assignmentOf(runTimeoutMs: number, skewSeconds = 0): OutboxMessage {
  const sent: OutboxMessage[] = [];
  const clock = { now: () => Date.now() + skewSeconds * 1_000 };
  const deps = { terms: defaultLeaseTerms, clock };
  const run = { name: "HELD", parametersJson: "{}", attempt: 1, logOffset: 0, traceparent: "" };
  const channel = createWorkerChannel({ send: (message) => void sent.push(message), isFull: false }, () => {}, deps);
  channel.assign({ id: lease.jobId, token: lease.token, ...run, runTimeoutMs });
  return sent[0] ?? assert.fail("nothing was sent");
}

/** A job type whose handler runs until it is let go or told to end. */
function held() {
  const begun = Promise.withResolvers<JobContext>();
  const end = Promise.withResolvers<void>();
  const type: JobType = {
    name: "HELD",
    description: "A test.",
    parameters: z.object({}),
    maxFails: 2,
    shouldRetry: () => true,
    validate: () => {},
    run: async (context) => {
      begun.resolve(context);
      context.signal.addEventListener("abort", () => end.reject(context.signal.reason));
      await end.promise;
    },
  };
  return { type, begun: begun.promise, end: end.resolve };
}

describe("a run with a run_timeout", () => {
  let controller: ScriptedController;
  let worker: WorkerService;
  beforeEach(async () => {
    controller = new ScriptedController();
    await controller.start();
  });
  afterEach(async () => {
    controller.stop();
    await worker.stop(AbortSignal.abort());
  });

  async function start(type: JobType, beatMs = 300) {
    const settings = { controller: controller.target, workerId: "worker-1", slots: 4, drainMs: 0 };
    worker = createWorker({ settings, jobTypes: [type], logger });
    void worker.start();
    const peer = await controller.works.next();
    await peer.welcome({ beatMs });
    return peer;
  }

  for (const skew of [-60, 60, -86_400]) {
    test(`is not ended early when the clocks differ by ${skew} s`, slack, async () => {
      const job = held();
      const peer = await start(job.type);
      peer.send(assignmentOf(30_000, skew));
      const { signal } = await job.begun;
      await peer.next("beat");
      assert.equal(signal.aborted, false);
      job.end();
      assert.equal((await peer.next("result")).outcome, Outcome.OUTCOME_SUCCESS);
    });

    test(`is ended in time when the clocks differ by ${skew} s`, slack, async () => {
      const job = held();
      // no beat stays unanswered while the result waits for its log
      const peer = await start(job.type, 60_000);
      peer.send(assignmentOf(100, skew));
      const begun = performance.now();
      const { outcome, reason } = await peer.next("result");
      assert.deepEqual([outcome, reason], [Outcome.OUTCOME_FAILURE, "TIMEOUT"]);
      assert.ok(performance.now() - begun > 80, "and not before");
    });
  }

  test("has what is left of it on a new stream, also when its Assign comes again", slack, async () => {
    const job = held();
    const first = await start(job.type);
    first.send(assignmentOf(600));
    await job.begun;
    first.end();
    const second = await controller.works.next();
    const { held: named } = await second.welcome({ keep: [lease] });
    assert.deepEqual(named, [lease]);
    second.send(assignmentOf(3_600_000));
    const { outcome, reason } = await second.next("result");
    assert.deepEqual([outcome, reason], [Outcome.OUTCOME_FAILURE, "TIMEOUT"]);
  });
});
