import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClosedType, waitOf } from "./worker.ts";

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
