import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClosedType, maxOfKey, outOfPatienceBefore, type TypeCapacity, waitOf } from "./worker.ts";

const versions = new Set(["1.0.0"]);
const closedSince = (since: number): ClosedType => ({
  jobName: "IMAGE_SCAN",
  reason: "SCANNER_UNREACHABLE",
  message: "Clair does not answer",
  since,
  isWorkerFault: false,
});

describe("what a job type waits for", () => {
  const wait = (capacity: TypeCapacity | undefined) => waitOf("IMAGE_SCAN", { capacity, isPaused: false });

  test("is what the worker waits for that has waited longest, when every worker waits", () => {
    const closed = [closedSince(5), { ...closedSince(9), reason: "REGISTRY_UNREACHABLE" }];
    assert.deepEqual(wait({ slots: 0, workers: 2, versions, closed }), {
      reason: "SCANNER_UNREACHABLE",
      message: "Clair does not answer",
      since: 5,
      workers: 2,
    });
  });

  test("is nothing while a worker takes its jobs", () => {
    assert.equal(wait({ slots: 4, workers: 2, versions, closed: [closedSince(5)] }), undefined);
  });

  test("is a worker, when none is there or none has slots", () => {
    const noWorker = {
      reason: "NO_WORKER",
      message: "no worker takes IMAGE_SCAN; start one that is set up for it",
      workers: 0,
    };
    assert.deepEqual(wait(undefined), noWorker);
    assert.deepEqual(wait({ slots: 0, workers: 1, versions, closed: [] }), noWorker);
  });

  test("is the end of the pause of its queue, whatever the workers say", () => {
    const paused = { reason: "QUEUE_PAUSED", message: "the queue is paused", workers: 0 };
    for (const closed of [[], [closedSince(5)]]) {
      const capacity = { slots: 4, workers: 2, versions, closed };
      assert.deepEqual(waitOf("IMAGE_SCAN", { capacity, isPaused: true }), paused);
    }
    assert.deepEqual(waitOf("IMAGE_SCAN", { capacity: undefined, isPaused: true }), paused);
  });
});

describe("jobs are out of patience", () => {
  const capacityOf = (workers: number, ...closed: ClosedType[]) => ({ slots: 0, workers, versions, closed });
  const patient = (since: number, patienceMs?: number) => ({ ...closedSince(since), patienceMs });

  test("when every worker has closed their type for longer than the longest patience", () => {
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10), patient(7, 20)), 28)?.before, 8);
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10), patient(7, 20)), 27), undefined);
    assert.equal(outOfPatienceBefore(capacityOf(1, patient(5, 0)), 6)?.before, 6);
  });

  test("never while a worker takes them, or one sets no limit", () => {
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10)), 1_000), undefined);
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10), patient(5)), 1_000), undefined);
  });

  test("whatever workers say that are not set up for it", () => {
    const unset = { ...patient(0, 0), isWorkerFault: true };
    assert.equal(outOfPatienceBefore(capacityOf(1, unset), 1_000), undefined);
    assert.equal(outOfPatienceBefore(capacityOf(2, unset, patient(995, 10)), 1_000), undefined);
    assert.equal(outOfPatienceBefore(capacityOf(2, unset, patient(5, 10)), 1_000)?.longest.since, 5);
  });
});

test("the slots of one fairness key are a part of all, and at least one", () => {
  const slots = (count: number) => ({ slots: count, workers: 1, versions, closed: [] });
  assert.deepEqual([maxOfKey(slots(10), 25), maxOfKey(slots(3), 25), maxOfKey(undefined, 25)], [2, 1, 1]);
});
