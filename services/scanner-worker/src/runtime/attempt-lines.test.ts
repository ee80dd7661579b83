import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import { JobPostponed } from "../domain/job-postponed.ts";
import type { JobContext, JobType } from "../ports/job.ts";
import { assignment, jobType, startWorker } from "./test-kit.ts";

describe("the job's log tells", () => {
  const lines = async (type: JobType, attempt = 1, stop = false) => {
    const { worker, source, logs, listener } = await startWorker(type);
    listener.onAssign(assignment({ attempt }));
    if (stop) listener.onCommand({ jobId: "job-1", token: 1 }, "stop");
    await source.nthResult(1);
    await worker.stop(AbortSignal.abort());
    return logs.text.split("\n").flatMap((line) => (line === "" ? [] : line.slice(line.indexOf(" ") + 1)));
  };
  const fails = (reason: string, hints: ConstructorParameters<typeof JobFailure>[2]) =>
    jobType(() => Promise.reject(new JobFailure(reason, "so it is", hints)), { maxFails: 2 });

  for (const [what, hints, attempt, next] of [
    ["that another attempt follows", { retryable: true }, 1, "another attempt follows, unless its launch allows fewer"],
    ["that it was the last attempt", { retryable: true }, 2, "final, unless its launch allows more attempts"],
    ["that another attempt makes no sense", { retryable: false }, 1, "final, another attempt makes no sense"],
  ] as const) {
    test(`of a failure ${what}`, async () => {
      assert.deepEqual(await lines(fails("X", hints), attempt), [
        `INFO  attempt ${attempt} of 2 begins on worker-1`,
        `ERROR attempt ${attempt} failed: X: so it is; ${next}`,
      ]);
    });
  }

  test("of a postponement what is waited for, and how long at least; a warning only where the outside is at fault", async () => {
    assert.deepEqual(await lines(fails("SCANNER_FAULT", { retryable: true, retryAfterMs: 59_500 })), [
      "INFO  attempt 1 of 2 begins on worker-1",
      "WARN  attempt 1 postponed: it waits for SCANNER_FAULT: so it is; runs again in 60 s at the earliest, as the same attempt",
    ]);
    assert.deepEqual(await lines(jobType(() => Promise.reject(new JobPostponed("not before six", 3_000)))), [
      "INFO  attempt 1 of 4 begins on worker-1",
      "INFO  attempt 1 waits: not before six; runs again in 3 s at the earliest, as the same attempt",
    ]);
  });

  test("of a job that this worker can't do that another one takes it", async () => {
    assert.deepEqual(await lines(fails("X", { retryable: false, fault: "worker" })), [
      "INFO  attempt 1 of 2 begins on worker-1",
      "WARN  attempt 1 given back: X: so it is; another worker takes it as the same attempt",
    ]);
  });

  test("of a job that this worker may not do that another one may", async () => {
    assert.deepEqual(await lines(fails("X", { retryable: false, fault: "worker", closesType: false })), [
      "INFO  attempt 1 of 2 begins on worker-1",
      "WARN  attempt 1 refused to this worker: X: so it is; another worker takes it as the same attempt; when every worker has been refused for a while the job is in ERROR",
    ]);
  });

  test("the end that a user asked for where the handler wrote something, and nothing where it did not", async () => {
    const obedient = (context: JobContext) =>
      new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()));
    assert.deepEqual(await lines(jobType(obedient), 1, true), []);
    const talking = jobType((context) => {
      context.logger.info("at work");
      return obedient(context);
    });
    assert.deepEqual(await lines(talking, 3, true), [
      "INFO  attempt 3 of 4 begins on worker-1",
      "INFO  at work",
      "INFO  attempt 3 ended: the job is STOPPED",
    ]);
  });
});
