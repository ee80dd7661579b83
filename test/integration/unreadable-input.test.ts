import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { GetJobRequest, JobServiceService, LaunchJobRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createChannelOptions, type RpcError, toRpcError } from "@drydock/shared/grpc/client.ts";
import { Client, credentials } from "@grpc/grpc-js";
import { type Stack, startStack } from "../support/stack.ts";

const mebibyte = 1024 * 1024;
const jobId = "00000000000000";
const [scheduled, periodic] = [JobKind.JOB_KIND_SCHEDULED, JobKind.JOB_KIND_PERIODIC];
const rule = "must be a whole number from -9007199254740991 to 9007199254740991";

interface Method {
  path: string;
  requestStream: boolean;
}

function message(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A message inside messages, in fields of these numbers, the outermost first. */
function inFields(numbers: number[], inner: Uint8Array): Uint8Array {
  return numbers.reduceRight((bytes, number) => message((writer) => writer.tag(number, 2).bytes(bytes)), inner);
}

const number = (field: number, value: bigint) => message((writer) => writer.tag(field, 0).int64(value));
/** A LaunchJobRequest whose job is of that kind, with the message in those fields of its metadata. */
function inMetadata(kind: number, numbers: number[], inner: Uint8Array): Uint8Array {
  return inFields([1, 3], Buffer.concat([number(1, BigInt(kind)), inFields(numbers, inner)]));
}

const withJobId = (rest: Uint8Array) => Buffer.concat([message((writer) => writer.tag(1, 2).string(jobId)), rest]);

describe("a request that can't be read is refused with its reason", () => {
  let stack: Stack;
  let client: Client;
  before(async () => {
    stack = await startStack();
    const { address } = await stack.startController();
    client = new Client(address, credentials.createInsecure(), createChannelOptions({ maxSendBytes: -1 }));
  });
  after(async () => {
    client.close();
    await stack.stop();
  });

  /** Sends these bytes as they are; gives the error that the call ends with. */
  function send({ path, requestStream }: Method, bytes: Uint8Array): Promise<RpcError> {
    const asIs = (buffer: Buffer) => buffer;
    const { promise, resolve, reject } = Promise.withResolvers<RpcError>();
    const call = client.makeBidiStreamRequest(path, asIs, asIs, { deadline: Date.now() + 10_000 });
    call.on("data", () => {});
    call.on("error", (error) => resolve(toRpcError(error)));
    call.on("status", ({ code }: { code: number }) => code === 0 && reject(new Error("the call was answered")));
    call.write(Buffer.from(bytes));
    if (!requestStream) call.end();
    return promise;
  }

  const { getJob, getJobLogData, watchJob, launchJob, launchJobs, listJobs } = JobServiceService;
  const { work, streamLogs, putReport, launchSubJob } = WorkerServiceService;
  const tooLarge = [2n ** 53n, 2n ** 60n, 2n ** 63n - 1n, -(2n ** 53n), -(2n ** 63n)];
  const numbers: Array<[method: Method, field: string, bytes: (value: bigint) => Uint8Array]> = [
    [getJobLogData, "offset", (value) => withJobId(number(3, value))],
    [watchJob, "after_revision", (value) => withJobId(number(2, value))],
    [launchJob, "job.metadata.schedule_delay.seconds", (value) => inFields([1, 3, 2], number(1, value))],
    [launchJob, "job.policy.run_timeout.seconds", (value) => inFields([1, 6, 4], number(1, value))],
    [work, "messages[0].hello.held[0].token", (value) => inFields([1, 1, 6], number(2, value))],
    [work, "messages[0].beat.sequence", (value) => inFields([1, 5], number(1, value))],
    [streamLogs, "offset", (value) => number(2, value)],
    [putReport, "head.lease.token", (value) => inFields([1, 1], number(2, value))],
    [launchSubJob, "lease.token", (value) => inFields([1], number(2, value))],
  ];
  for (const [method, field, bytes] of numbers) {
    test(`${method.path} with a number in ${field} that is too large`, async () => {
      for (const value of tooLarge) {
        const { code, reason, violations } = await send(method, bytes(value));
        assert.deepEqual([code, reason], ["INVALID_ARGUMENT", "FIELD_INVALID"], String(value));
        assert.deepEqual(violations, [{ field, description: rule }]);
      }
    });
  }

  const noTimes: Array<[method: Method, field: string, bytes: (seconds: bigint) => Uint8Array]> = [
    [launchJob, "job.metadata.run_at", (at) => inMetadata(scheduled, [3], number(1, at))],
    [launchJob, "job.metadata.periodic.start_time", (at) => inMetadata(periodic, [7, 4], number(1, at))],
    [launchJob, "job.metadata.periodic.end_time", (at) => inMetadata(periodic, [7, 5], number(1, at))],
    [listJobs, "launched_after", (at) => inFields([8], number(1, at))],
    [listJobs, "launched_before", (at) => inFields([9], number(1, at))],
  ];
  for (const [method, field, bytes] of noTimes) {
    test(`${field} of a year that there is not`, async () => {
      for (const at of [2n ** 50n, -(2n ** 50n)]) {
        const { code, reason, violations } = await send(method, bytes(at));
        assert.deepEqual([code, reason], ["INVALID_ARGUMENT", "FIELD_INVALID"], String(at));
        assert.ok(
          violations.some((violation) => violation.field === field),
          JSON.stringify(violations),
        );
      }
    });
  }

  const unreadable: Array<[what: string, bytes: Uint8Array]> = [
    ["a field that is cut short", Uint8Array.of(0x0a, 200, 1, 2)],
    ["a number without an end", Uint8Array.of(0x18, ...Array(12).fill(0xff))],
    ["a wire type that there is not", Uint8Array.of(0x0f, 1)],
  ];
  for (const [what, bytes] of unreadable) {
    test(what, async () => {
      for (const method of [getJob, watchJob, getJobLogData, work, streamLogs, putReport, launchSubJob]) {
        const { code, reason, metadata } = await send(method, bytes);
        assert.deepEqual([code, reason, metadata], ["INVALID_ARGUMENT", "MESSAGE_INVALID", {}], method.path);
      }
    });
  }

  test("a message of 5 MiB, of one RPC or of a stream", async () => {
    const bytes = message((writer) => writer.tag(15, 2).bytes(new Uint8Array(5 * mebibyte)));
    for (const method of [launchJob, watchJob, work, streamLogs, putReport]) {
      const { code, reason, metadata } = await send(method, bytes);
      assert.deepEqual([code, reason], ["RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"], method.path);
      assert.deepEqual(metadata, { size: String(bytes.length), most: "4194304" });
    }
  });

  test("a message of two million entries that say nothing, of one RPC or of a stream", async () => {
    const entries = (field: number) => Buffer.alloc(4_000_000, Buffer.from([8 * field + 2, 0]));
    const bombs: Array<[method: Method, bytes: Uint8Array]> = [
      [launchJobs, entries(1)],
      [launchSubJob, inFields([4], entries(1))],
      [work, entries(1)],
      [work, inFields([1, 1], entries(6))],
      [putReport, inFields([1, 4], entries(4))],
    ];
    for (const [method, bytes] of bombs) {
      const { code, reason, message } = await send(method, bytes);
      if (method === work) {
        assert.deepEqual([code, reason], ["FAILED_PRECONDITION", "PROTOCOL_VIOLATION"]);
        assert.match(message, /at most 1000 messages, and 10000 messages and list entries in all; send it in several/);
      } else {
        assert.deepEqual([code, reason], ["RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"], method.path);
        assert.match(message, /more than 200000 messages and list entries in it; send it in several/);
      }
    }
  });

  test("a message above 16 MiB, which the gRPC library answers itself", async () => {
    const bytes = message((writer) => writer.tag(15, 2).bytes(new Uint8Array(17 * mebibyte)));
    const { code, reason } = await send(launchJob, bytes);
    assert.deepEqual([code, reason], ["RESOURCE_EXHAUSTED", undefined]);
  });

  test("and the next one is answered", async () => {
    const bytes = GetJobRequest.encode({ jobId }).finish();
    assert.equal((await send(getJob, bytes)).reason, "JOB_NOT_FOUND");
    const job = { name: "DEMO", metadata: { kind: JobKind.JOB_KIND_GENERIC } };
    const launch = LaunchJobRequest.encode(LaunchJobRequest.fromPartial({ job })).finish();
    assert.equal((await send(launchJob, launch)).reason, "JOB_NAME_UNKNOWN");
  });
});
