import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { JobServiceService } from "../../gen/drydock/job/v1/job_service.ts";
import { WorkerServiceService } from "../../gen/drydock/worker/v1/worker_service.ts";
import { ReasonedError } from "../errors.ts";
import { MessageShapes } from "./message-shape.ts";
import { createNumberFaults } from "./number-faults.ts";
import { maxMessageBytes, maxMessageItems, takeRequest, withDecoders } from "./request-decoder.ts";

const descriptors = readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url));
const decoders = { numberFaults: createNumberFaults(descriptors), shapes: new MessageShapes(descriptors) };
const jobs = withDecoders(JobServiceService, decoders);
const workers = withDecoders(WorkerServiceService, decoders);

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

  test("are refused when few of them would be many objects, whatever stands before those", () => {
    const empty = (count: number) => Buffer.alloc(2 * count, Buffer.from([0x0a, 0]));
    const refused = { reason: "MESSAGE_TOO_LARGE", fields: undefined };
    takeRequest(jobs.launchJobs?.requestDeserialize(empty(maxMessageItems)));
    assert.deepEqual(refusalOf(jobs.launchJobs, empty(maxMessageItems + 1)), refused);
    assert.deepEqual(refusalOf(workers.putReport, inside(1, inside(4, empty(2e6).fill('"\0')))), refused);
    const unsafe = inside(1, inside(5, tooLarge));
    assert.deepEqual(refusalOf(workers.work, Buffer.concat([unsafe, empty(2e6)])), refused);
    const group = Buffer.concat([Uint8Array.of(0x0b, 0x0c), empty(2e6)]);
    assert.deepEqual(refusalOf(jobs.launchJobs, group), { ...refused, reason: "MESSAGE_INVALID" });
  });

  test("are refused as their method says when they are more than it takes", () => {
    const refuse = () => new ReasonedError("PROTOCOL_VIOLATION", "send it in several");
    const limits = { work: { maxEntries: 10, maxItems: 40, refuse } };
    const { work, streamLogs } = withDecoders(WorkerServiceService, { ...decoders, limits });
    const beatOf = (leases: number) => inside(1, inside(5, Buffer.alloc(2 * leases, Buffer.from([0x12, 0]))));
    const requestOf = (...messages: Uint8Array[]) => Buffer.concat(messages);
    const refused = { reason: "PROTOCOL_VIOLATION", fields: undefined };
    takeRequest(work?.requestDeserialize(requestOf(...Array(10).fill(beatOf(0)))));
    takeRequest(work?.requestDeserialize(requestOf(beatOf(38))));
    for (const request of [Buffer.alloc(22, Buffer.from([0x0a, 0])), requestOf(...Array(11).fill(beatOf(2)))]) {
      assert.deepEqual(refusalOf(work, request), refused);
    }
    assert.deepEqual(refusalOf(work, requestOf(beatOf(39))), refused);
    takeRequest(streamLogs?.requestDeserialize(Buffer.from(inside(3, new Uint8Array(1_000)))));
  });
});
