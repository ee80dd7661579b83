import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { z } from "zod";
import { JobFailure } from "../domain/job-failure.ts";
import { JobPostponed } from "../domain/job-postponed.ts";
import type { JobContext, JobType } from "../ports/job.ts";
import { LeaseLost } from "../ports/job-services.ts";
import { assignment, fakeServices, jobType, startWorker } from "./test-kit.ts";

/** A handler that waits until the test lets it go, and tells its context. */
function heldHandler() {
  const begun = Promise.withResolvers<JobContext>();
  const release = Promise.withResolvers<void>();
  const run: JobType["run"] = async (context) => {
    begun.resolve(context);
    await release.promise;
  };
  return { run, begun: begun.promise, end: release.resolve, fail: release.reject };
}

async function outcomeOf(type: JobType, overrides: Parameters<typeof assignment>[0] = {}) {
  const { source, listener } = await startWorker(type);
  listener.onAssign(assignment(overrides));
  return (await source.nthResult(1)).outcome;
}

describe("a run ends in", () => {
  test("success when its handler returns", async () => {
    assert.deepEqual(await outcomeOf(jobType(async () => {})), { kind: "success" });
  });

  test("a postponement within a day when its handler asks for one", async () => {
    const asks = (afterMs: number) => jobType(() => Promise.reject(new JobPostponed("not now", afterMs)));
    const postponed = { kind: "postponed", reason: "", message: "not now", patienceMs: undefined };
    assert.deepEqual(await outcomeOf(asks(1_500)), { ...postponed, afterMs: 1_500 });
    for (const [afterMs, within] of [
      [-5, 0],
      [Number.NaN, 0],
      [1e12, 86_400_000],
      [Number.POSITIVE_INFINITY, 86_400_000],
    ] as const) {
      assert.deepEqual(await outcomeOf(asks(afterMs)), { ...postponed, afterMs: within });
    }
  });

  test("a postponement whose message is one line, as a check-in is", async () => {
    const type = jobType(() => Promise.reject(new JobPostponed("too many\nrequests", 1_500)));
    const outcome = await outcomeOf(type);
    assert.ok(outcome.kind === "postponed");
    assert.equal(outcome.message, "too many requests");
  });

  test("failure with the reason and hints of a JobFailure", async () => {
    const type = jobType(async () => {
      throw new JobFailure("REPOSITORY_UNKNOWN", "no such repository", { retryable: false, retryAfterMs: 5000 });
    });
    assert.deepEqual(await outcomeOf(type), {
      kind: "failure",
      reason: "REPOSITORY_UNKNOWN",
      message: "no such repository",
      retryable: false,
      retryAfterMs: 5000,
    });
  });

  test("failure HANDLER_ERROR for any other error, retryable as the type says", async () => {
    const shouldRetry = (error: unknown) => !(error instanceof TypeError);
    const type = jobType(() => Promise.reject(new TypeError("x is undefined")), { shouldRetry });
    const outcome = await outcomeOf(type);
    assert.ok(outcome.kind === "failure");
    assert.deepEqual([outcome.reason, outcome.message, outcome.retryable], ["HANDLER_ERROR", "x is undefined", false]);
  });

  test("failure when its handler is not even async and throws", async () => {
    const type = jobType(() => {
      throw "just a text";
    });
    const outcome = await outcomeOf(type);
    assert.ok(outcome.kind === "failure");
    assert.equal(outcome.message, "just a text");
  });

  test("failure with a message of at most 1 KiB", async () => {
    const outcome = await outcomeOf(jobType(() => Promise.reject(new Error("é".repeat(2000)))));
    assert.ok(outcome.kind === "failure");
    assert.equal(Buffer.byteLength(outcome.message), 1024);
  });

  test("failure PARAMETERS_INVALID that names field and rule, without running", async () => {
    const run = mock.fn(async () => {});
    const type = jobType(run, { parameters: z.object({ tag: z.string() }) });
    const outcome = await outcomeOf(type, { parametersJson: '{"tag":1}' });
    assert.ok(outcome.kind === "failure");
    assert.deepEqual([outcome.reason, outcome.retryable], ["PARAMETERS_INVALID", false]);
    assert.match(outcome.message, /^parameters\.tag: .*expected string/);
    assert.equal(run.mock.callCount(), 0);
  });

  test("failure PARAMETERS_INVALID when the parameters are no JSON", async () => {
    const outcome = await outcomeOf(
      jobType(async () => {}),
      { parametersJson: "{" },
    );
    assert.ok(outcome.kind === "failure" && outcome.reason === "PARAMETERS_INVALID");
  });

  test("failure as validate throws it", async () => {
    const run = mock.fn(async () => {});
    const validate = () => {
      throw new JobFailure("PARAMETERS_INVALID", "a tag or a digest", { retryable: false });
    };
    const outcome = await outcomeOf(jobType(run, { validate }));
    assert.ok(outcome.kind === "failure" && outcome.message === "a tag or a digest");
    assert.equal(run.mock.callCount(), 0);
  });

  test("failure TIMEOUT when its time is over", async () => {
    const run = (context: JobContext) =>
      new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()));
    const outcome = await outcomeOf(jobType(run), { timeoutMs: 10 });
    assert.ok(outcome.kind === "failure");
    assert.deepEqual([outcome.reason, outcome.retryable], ["TIMEOUT", true]);
  });

  test("failure TIMEOUT no earlier than its time is over, however long that is", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let isAsked = false;
    const run = (context: JobContext) =>
      new Promise<void>((resolve) => {
        context.signal.addEventListener("abort", () => {
          isAsked = true;
          resolve();
        });
      });
    const sixtyDays = 60 * 86_400_000;
    const longestTimer = 2 ** 31 - 1;
    const ending = outcomeOf(jobType(run), { timeoutMs: sixtyDays });
    await new Promise((resolve) => setImmediate(resolve));
    for (const step of [longestTimer, longestTimer, sixtyDays - 2 * longestTimer - 1]) t.mock.timers.tick(step);
    assert.equal(isAsked, false);
    t.mock.timers.tick(1);
    const outcome = await ending;
    assert.ok(outcome.kind === "failure" && outcome.reason === "TIMEOUT");
  });
});

describe("the result waits for the log", () => {
  async function flushesUntilResult(isConnected: boolean, answers: boolean[]): Promise<number> {
    let flushes = 0;
    const flush = async () => answers[flushes++] ?? true;
    const logs = { open: () => ({ write: () => {}, flush, close: () => {} }) };
    const type = jobType(async ({ logger }) => logger.info("done"));
    const { source, listener } = await startWorker(type, { services: fakeServices({ logs }) });
    source.isConnected = isConnected;
    listener.onAssign(assignment());
    await source.nthResult(1);
    return flushes;
  }

  test("once while the controller is there, whether or not it stores the log", async () => {
    assert.equal(await flushesUntilResult(true, [false, false]), 1);
  });

  test("again and again while the controller is away", async () => {
    assert.equal(await flushesUntilResult(false, [false, false, true]), 3);
  });
});

describe("a stop or cancel", () => {
  const lease = { jobId: "job-1", token: 1 };

  test("aborts the signal, whose reason says why, and shows in opCommand", async () => {
    const handler = heldHandler();
    const { source, listener } = await startWorker(jobType(handler.run));
    listener.onAssign(assignment());
    const context = await handler.begun;
    const { signal } = context;
    listener.onCommand(lease, "stop");
    assert.ok(signal.aborted);
    assert.equal(signal.reason.kind, "stop");
    assert.equal(context.opCommand(), "stop");
    handler.end();
    assert.deepEqual((await source.nthResult(1)).outcome, { kind: "stopped" });
  });

  test("counts even if the handler throws because of it", async () => {
    const handler = heldHandler();
    const { source, listener } = await startWorker(jobType(handler.run));
    listener.onAssign(assignment());
    const { signal } = await handler.begun;
    signal.addEventListener("abort", () => handler.fail(signal.reason));
    listener.onCommand(lease, "cancel");
    assert.deepEqual((await source.nthResult(1)).outcome, { kind: "cancelled" });
  });

  test("does not count when the handler had returned before", async () => {
    const flushed = Promise.withResolvers<boolean>();
    const logs = { open: () => ({ write: () => {}, flush: () => flushed.promise, close: () => {} }) };
    const type = jobType(async ({ logger }) => logger.info("done"));
    const { source, listener } = await startWorker(type, { services: fakeServices({ logs }) });
    listener.onAssign(assignment());
    await new Promise(setImmediate);
    listener.onCommand(lease, "stop");
    flushed.resolve(true);
    assert.deepEqual((await source.nthResult(1)).outcome, { kind: "success" });
  });

  test("that is for an older token is ignored", async () => {
    const handler = heldHandler();
    const { listener } = await startWorker(jobType(handler.run));
    listener.onAssign(assignment({ lease: { jobId: "job-1", token: 7 } }));
    listener.onCommand({ jobId: "job-1", token: 6 }, "stop");
    assert.equal((await handler.begun).signal.aborted, false);
    handler.end();
  });

  test("leaves a handler behind that ignores it: the result goes out and what the handler says is refused", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const handler = heldHandler();
    const { worker, source, listener } = await startWorker(jobType(handler.run));
    listener.onAssign(assignment());
    const context = await handler.begun;
    listener.onCommand(lease, "stop");
    t.mock.timers.tick(5000);
    listener.onCommand(lease, "stop");
    assert.equal(source.results.length, 0);
    t.mock.timers.tick(5000);
    assert.deepEqual(source.results[0]?.outcome, { kind: "stopped" });
    assert.equal(worker.runCount, 0);
    assert.throws(() => context.checkin("still here"), /stopped the job/);
    assert.throws(() => context.logger.info("still here"), /stopped the job/);
    await assert.rejects(context.launchJob({ name: "TEST", parameters: {} }), /stopped the job/);
    handler.end();
    await new Promise(setImmediate);
    assert.equal(source.results.length, 1);
  });
});

describe("a job whose lease is lost", () => {
  test("is abandoned at once and reports nothing", async () => {
    const handler = heldHandler();
    const { worker, source, listener } = await startWorker(jobType(handler.run));
    listener.onAssign(assignment());
    const context = await handler.begun;
    const { signal } = context;
    listener.onLost([{ jobId: "job-1", token: 1 }]);
    assert.equal(signal.reason.kind, "lost");
    assert.equal(worker.runCount, 0);
    assert.deepEqual(listener.held(), []);
    handler.end();
    await new Promise(setImmediate);
    assert.deepEqual(source.kinds, ["accept"]);
  });

  test("is also one whose report the controller refuses with LEASE_LOST", async () => {
    const lost = new LeaseLost({ jobId: "job-1", token: 1 });
    const { subJobs } = fakeServices();
    const services = fakeServices({ subJobs: { ...subJobs, launch: () => Promise.reject(lost) } });
    const ended = Promise.withResolvers<unknown>();
    const type = jobType((context) =>
      context.launchJob({ name: "X", parameters: {} }).then(
        () => {},
        (error) => ended.resolve(error),
      ),
    );
    const { source, listener } = await startWorker(type, { services });
    listener.onAssign(assignment());
    assert.equal(await ended.promise, lost);
    await new Promise(setImmediate);
    assert.deepEqual(source.kinds, ["accept"]);
  });
});
