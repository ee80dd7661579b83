import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import type { JobContext } from "../ports/job.ts";
import { assignment, jobType, startWorker } from "./test-kit.ts";

/** Ends when its signal aborts. */
const obedient = (context: JobContext) =>
  new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve()));
const lease = { jobId: "job-1", token: 1 };

describe("a worker", () => {
  test("accepts an assignment and reports its result", async () => {
    const { source, listener } = await startWorker(jobType(async () => {}));
    listener.onAssign(assignment());
    await source.nthResult(1);
    assert.deepEqual(source.kinds, ["accept", "result"]);
  });

  test("accepts the same assignment again without running it twice", async () => {
    let runs = 0;
    const type = jobType((context) => {
      runs += 1;
      return obedient(context);
    });
    const { source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    listener.onAssign(assignment());
    assert.deepEqual(source.kinds, ["accept", "accept"]);
    assert.equal(runs, 1);
  });

  test("takes an assignment with a newer token for a new run, and abandons the old one", async () => {
    const tokens: boolean[] = [];
    const type = jobType((context) => {
      tokens.push(context.signal.aborted);
      return obedient(context);
    });
    const { worker, listener } = await startWorker(type);
    listener.onAssign(assignment());
    listener.onAssign(assignment({ lease: { jobId: "job-1", token: 2 } }));
    listener.onAssign(assignment({ lease: { jobId: "job-1", token: 1 } }));
    assert.deepEqual(listener.held(), [{ jobId: "job-1", token: 2 }]);
    assert.equal(worker.runCount, 1);
    assert.equal(tokens.length, 2);
  });

  test("rejects what it does not know and what is beyond its slots", async () => {
    const { source, listener } = await startWorker(jobType(obedient), { slots: 1 });
    listener.onAssign(assignment({ name: "OTHER", lease: { jobId: "job-0", token: 1 } }));
    listener.onAssign(assignment());
    listener.onAssign(assignment({ lease: { jobId: "job-2", token: 1 } }));
    assert.deepEqual(source.kinds, ["reject", "accept", "reject"]);
    assert.deepEqual(listener.held(), [lease]);
  });

  test("frees the slot with the result but holds the job until the acknowledgement", async () => {
    const { worker, source, listener } = await startWorker(
      jobType(async () => {}),
      { slots: 1 },
    );
    listener.onAssign(assignment());
    await source.nthResult(1);
    assert.equal(worker.runCount, 0);
    assert.deepEqual(listener.held(), [lease]);
    listener.onAcknowledged({ ...lease, token: 0 });
    assert.deepEqual(listener.held(), [lease]);
    listener.onAcknowledged(lease);
    assert.deepEqual(listener.held(), []);
  });

  test("sends pending results again when it is welcomed back, less those the controller drops", async () => {
    const { source, listener } = await startWorker(jobType(async () => {}));
    listener.onAssign(assignment());
    listener.onAssign(assignment({ lease: { jobId: "job-2", token: 1 } }));
    await source.nthResult(2);
    listener.onWelcome({ graceMs: 1000, drop: [{ jobId: "job-2", token: 1 }] });
    assert.deepEqual(
      source.results.map(({ lease: { jobId } }) => jobId),
      ["job-1", "job-2", "job-1"],
    );
    assert.deepEqual(listener.held(), [lease]);
  });

  test("says the last check-in of each run again when it is welcomed back", async () => {
    const type = jobType((context) => {
      context.checkin("half-way", { phase: "x", percent: 50 });
      return obedient(context);
    });
    const { source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    listener.onWelcome({ graceMs: 1000, drop: [] });
    assert.deepEqual(source.kinds, ["accept", "checkIn", "checkIn"]);
  });

  test("keeps running what it has while it is disconnected, and aborts only what the controller drops", async () => {
    const signals: AbortSignal[] = [];
    const type = jobType((context) => {
      signals.push(context.signal);
      return obedient(context);
    });
    const { listener } = await startWorker(type);
    listener.onAssign(assignment());
    listener.onAssign(assignment({ lease: { jobId: "job-2", token: 1 } }));
    listener.onWelcome({ graceMs: 1000, drop: [lease] });
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, false],
    );
  });
});

describe("a worker that is asked to stop", () => {
  test("says so, takes nothing more and lets its jobs end", async () => {
    const end = Promise.withResolvers<void>();
    const { worker, source, listener } = await startWorker(
      jobType(() => end.promise),
      { drainMs: 60_000 },
    );
    listener.onAssign(assignment());
    const stopped = worker.stop();
    assert.equal(worker.state, "draining");
    assert.equal(listener.capacity().slots, 0);
    listener.onAssign(assignment({ lease: { jobId: "job-2", token: 1 } }));
    assert.deepEqual(source.kinds, ["accept", "draining", "reject"]);
    end.resolve();
    const { outcome } = await source.nthResult(1);
    assert.deepEqual(outcome, { kind: "success" });
    listener.onAcknowledged(lease);
    await stopped;
    assert.equal(source.kinds.at(-1), "stop");
    assert.equal(worker.state, "stopped");
  });

  test("gives back what still runs when the time is over", async () => {
    const { worker, source, listener } = await startWorker(jobType(obedient), { drainMs: 0 });
    listener.onAssign(assignment());
    const stopped = worker.stop();
    assert.deepEqual((await source.nthResult(1)).outcome, { kind: "released" });
    listener.onAcknowledged(lease);
    await stopped;
  });

  test("gives back what ignores its signal, too, and does not wait forever for acknowledgements", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { worker, source, listener } = await startWorker(
      jobType(() => new Promise(() => {})),
      { drainMs: 1000 },
    );
    listener.onAssign(assignment());
    const stopped = worker.stop();
    for (let second = 0; second < 10; second += 1) {
      await new Promise(setImmediate);
      t.mock.timers.tick(1000);
    }
    assert.deepEqual(source.results[0]?.outcome, { kind: "released" });
    await stopped;
  });

  test("reports a stop that a user asked for before as stopped", async () => {
    const { worker, source, listener } = await startWorker(
      jobType(() => new Promise(() => {})),
      { drainMs: 0 },
    );
    listener.onWelcome({ graceMs: 20, drop: [] });
    listener.onAssign(assignment());
    listener.onCommand(lease, "stop");
    const stopped = worker.stop();
    assert.deepEqual((await source.nthResult(1)).outcome, { kind: "stopped" });
    listener.onAcknowledged(lease);
    await stopped;
  });

  test("stops at once when it has nothing, and may be asked twice", async () => {
    const { worker, source } = await startWorker(jobType(obedient), { drainMs: 60_000 });
    await Promise.all([worker.stop(), worker.stop()]);
    assert.deepEqual(source.kinds, ["draining", "stop"]);
  });
});

describe("a worker is gone", () => {
  test("when the controller drained it and its last result is acknowledged", async () => {
    const gone = Promise.withResolvers<string>();
    const end = Promise.withResolvers<void>();
    const { source, listener } = await startWorker(
      jobType(() => end.promise),
      { onGone: gone.resolve },
    );
    listener.onAssign(assignment());
    listener.onDrain();
    assert.equal(source.kinds.at(-1), "draining");
    end.resolve();
    await source.nthResult(1);
    listener.onAcknowledged(lease);
    assert.equal(await gone.promise, "drained");
  });

  test("when a newer process took its id: everything is abandoned", async () => {
    const gone = Promise.withResolvers<string>();
    const { worker, source, listener } = await startWorker(jobType(obedient), { onGone: gone.resolve });
    listener.onAssign(assignment());
    listener.onSuperseded();
    assert.equal(await gone.promise, "superseded");
    assert.equal(worker.runCount, 0);
    assert.deepEqual(source.results, []);
  });
});

describe("a worker whose job type is closed", () => {
  const away = new JobFailure("SCANNER_UNREACHABLE", "clair:6060 can't be reached", { retryable: true });
  const refused = new JobFailure("REGISTRY_AUTH_REJECTED", "wrong password", { retryable: false });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  test("says so before the result of the job that met it, and postpones what comes all the same", async () => {
    let runs = 0;
    const type = jobType(async () => {
      runs += 1;
      throw away;
    });
    const { worker, source, listener } = await startWorker(type);
    listener.onAssign(assignment());
    const { outcome } = await source.nthResult(1);
    assert.ok(outcome.kind === "postponed");
    assert.deepEqual([outcome.reason, outcome.patienceMs], ["SCANNER_UNREACHABLE", 86_400_000]);
    assert.ok(outcome.afterMs >= 2_000 && outcome.afterMs <= 15_000);
    assert.deepEqual(source.kinds, ["accept", "capacity", "result"]);
    const message = source.sent.find(({ kind }) => kind === "capacity");
    assert.ok(message?.kind === "capacity");
    assert.equal(message.capacity.slots, 4);
    assert.deepEqual(
      message.capacity.closed.map(({ jobType, reason }) => [jobType, reason]),
      [["TEST", "SCANNER_UNREACHABLE"]],
    );
    listener.onAssign(assignment({ lease: { jobId: "job-2", token: 1 } }));
    assert.equal((await source.nthResult(2)).outcome.kind, "postponed");
    assert.equal(runs, 1);
    await worker.stop(AbortSignal.abort());
  });

  test("is closed in Hello, and open in its Capacity once the first probe has passed", async () => {
    const probed = Promise.withResolvers<void>();
    const type = jobType(async () => {}, { probe: () => probed.promise });
    const { worker, source, listener } = await startWorker(type);
    const reasons = () => listener.capacity().closed.map(({ reason }) => reason);
    assert.deepEqual([listener.capacity().slots, reasons(), source.sent], [4, ["STARTING"], []]);
    probed.resolve();
    await settle();
    assert.deepEqual(source.sent, [{ kind: "capacity", capacity: { slots: 4, closed: [] } }]);
    assert.deepEqual(reasons(), []);
    await worker.stop(AbortSignal.abort());
  });

  test("that opens between Hello and Welcome is open in the Capacity behind the Welcome", async () => {
    const probed = Promise.withResolvers<void>();
    const type = jobType(async () => {}, { probe: () => probed.promise });
    const { worker, source, listener } = await startWorker(type);
    assert.equal(listener.capacity().closed.length, 1);
    probed.resolve();
    await settle();
    source.sent.length = 0;
    listener.onWelcome({ graceMs: 1_000, drop: [] });
    assert.deepEqual(source.sent, [{ kind: "capacity", capacity: { slots: 4, closed: [] } }]);
    await worker.stop(AbortSignal.abort());
  });

  test("stays in all that it says when it is not set up for it", async () => {
    const why = { reason: "NOT_CONFIGURED", message: "", since: new Date(), isWorkerFault: true };
    let fail: (why: Error) => void = () => undefined;
    const type = jobType(async () => {}, { probe: () => new Promise((_, reject) => (fail = reject)) });
    const unregistered = [{ jobType: "IMAGE_SCAN", ...why }];
    const { worker, source, listener } = await startWorker(type, { unregistered });
    const names = (closed: readonly { jobType: string }[]) => closed.map(({ jobType }) => jobType);
    assert.deepEqual(names(listener.capacity().closed), ["IMAGE_SCAN", type.name]);
    fail(new Error("away"));
    await settle();
    const [message] = source.sent;
    assert.deepEqual(message?.kind === "capacity" && names(message.capacity.closed), ["IMAGE_SCAN", type.name]);
    await worker.stop(AbortSignal.abort());
  });

  test("gives back the job that found its credential refused, and leaves one that alone is refused to another worker", async () => {
    let isRefused = false;
    const probe = async () => {
      if (isRefused) throw refused;
    };
    const type = jobType(() => Promise.reject(refused), { probe, shouldRetry: () => false });
    const { worker, source, listener } = await startWorker(type);
    await settle();
    listener.onAssign(assignment());
    const cause = { reason: "REGISTRY_AUTH_REJECTED", message: "wrong password" };
    assert.deepEqual((await source.nthResult(1)).outcome, { kind: "refused", ...cause, patienceMs: 86_400_000 });
    isRefused = true;
    listener.onAssign(assignment({ lease: { jobId: "job-2", token: 1 } }));
    const { outcome } = await source.nthResult(2);
    assert.deepEqual(outcome, { kind: "released", ...cause });
    await worker.stop(AbortSignal.abort());
  });
});
