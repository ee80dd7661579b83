import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { JobServiceService } from "../../gen/drydock/job/v1/job_service.ts";
import { WorkerServiceService } from "../../gen/drydock/worker/v1/worker_service.ts";
import { ReasonedError } from "../errors.ts";
import { createNumberFaults } from "./number-faults.ts";
import { maxMessageBytes, takeRequest, withDecoders } from "./request-decoder.ts";

const numberFaults = createNumberFaults(readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url)));
const jobs = withDecoders(JobServiceService, numberFaults);
const workers = withDecoders(WorkerServiceService, numberFaults);

const tooLarge = new BinaryWriter()
  .tag(2, 0)
  .int64(2n ** 60n)
  .finish();
const inside = (field: number, bytes: Uint8Array) => new BinaryWriter().tag(field, 2).bytes(bytes).finish();

function refusalOf(method: { requestDeserialize(bytes: Buffer): unknown } | undefined, bytes: Uint8Array) {
  const request = method?.requestDeserialize(Buffer.from(bytes));
  try {
    takeRequest(request);
  } catch (error) {
    assert.ok(error instanceof ReasonedError);
    return { reason: error.reason, fields: error.facts.violations?.map(({ field }) => field) };
  }
  return assert.fail("it was taken");
}

describe("a request's bytes", () => {
  test("are decoded", () => {
    assert.deepEqual(takeRequest(jobs.getJob?.requestDeserialize(Buffer.from(inside(1, Buffer.from("a"))))), {
      jobId: "a",
    });
  });

  test("are refused by the names of the fields whose numbers are too large, in lists too", () => {
    assert.deepEqual(refusalOf(jobs.watchJob, tooLarge), { reason: "FIELD_INVALID", fields: ["after_revision"] });
    const beat = inside(5, Buffer.concat([inside(2, tooLarge), inside(2, tooLarge)]));
    assert.deepEqual(refusalOf(workers.work, Buffer.concat([inside(1, beat), inside(1, beat)])), {
      reason: "FIELD_INVALID",
      fields: [0, 1].flatMap((at) => [0, 1].map((job) => `messages[${at}].beat.held[${job}].token`)),
    });
  });

  test("are refused when they are no such message, and when they are too many", () => {
    const noFields = { fields: undefined };
    assert.deepEqual(refusalOf(jobs.getJob, Uint8Array.of(0x0a, 5)), { reason: "MESSAGE_INVALID", ...noFields });
    const most = inside(99, new Uint8Array(maxMessageBytes - 6));
    assert.equal(most.length, maxMessageBytes);
    takeRequest(jobs.getJob?.requestDeserialize(Buffer.from(most)));
    assert.deepEqual(refusalOf(jobs.getJob, Buffer.concat([most, most.subarray(0, 1)])), {
      reason: "MESSAGE_TOO_LARGE",
      ...noFields,
    });
  });
});
