import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClosedType, mostOfKey, outOfPatienceBefore, waitOf } from "./worker.ts";

const versions = new Set(["1.0.0"]);
const closedSince = (since: number): ClosedType => ({
  jobName: "IMAGE_SCAN",
  reason: "SCANNER_UNREACHABLE",
  message: "Clair does not answer",
  since,
  isWorkerFault: false,
});

describe("what a job type waits for", () => {
  test("is what the worker waits for that has waited longest, when every worker waits", () => {
    const closed = [closedSince(5), { ...closedSince(9), reason: "REGISTRY_UNREACHABLE" }];
    assert.deepEqual(waitOf({ slots: 0, workers: 2, versions, closed }), {
      reason: "SCANNER_UNREACHABLE",
      message: "Clair does not answer",
      since: 5,
      workers: 2,
    });
  });

  test("is nothing while a worker takes its jobs, and when no worker knows it", () => {
    assert.equal(waitOf({ slots: 4, workers: 2, versions, closed: [closedSince(5)] }), undefined);
    assert.equal(waitOf({ slots: 0, workers: 0, versions, closed: [] }), undefined);
    assert.equal(waitOf(undefined), undefined);
  });
});

describe("jobs are out of patience", () => {
  const capacityOf = (workers: number, ...closed: ClosedType[]) => ({ slots: 0, workers, versions, closed });
  const patient = (since: number, patienceMs?: number) => ({ ...closedSince(since), patienceMs });

  test("when every worker has closed their type for longer than the longest patience", () => {
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10), patient(7, 20)), 28), 8);
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10), patient(7, 20)), 27), undefined);
    assert.equal(outOfPatienceBefore(capacityOf(1, patient(5, 0)), 6), 6);
  });

  test("never while a worker takes them, or one sets no limit", () => {
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10)), 1_000), undefined);
    assert.equal(outOfPatienceBefore(capacityOf(2, patient(5, 10), patient(5)), 1_000), undefined);
  });
});

test("the slots of one fairness key are a part of all, and at least one", () => {
  const slots = (count: number) => ({ slots: count, workers: 1, versions, closed: [] });
  assert.deepEqual([mostOfKey(slots(10), 25), mostOfKey(slots(3), 25), mostOfKey(undefined, 25)], [2, 1, 1]);
});
