import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { indexDescriptors } from "./descriptor-index.ts";

const index = indexDescriptors(readFileSync(new URL("../../gen/descriptors.binpb", import.meta.url)));

describe("the index of our descriptors", () => {
  const symbols = {
    "drydock.job.v1.JobService": "drydock/job/v1/job_service.proto",
    "drydock.job.v1.JobService.LaunchJob": "drydock/job/v1/job_service.proto",
    "drydock.job.v1.LaunchJobRequest": "drydock/job/v1/job_service.proto",
    "drydock.job.v1.LaunchJobRequest.job": "drydock/job/v1/job_service.proto",
    "drydock.job.v1.JobStatus": "drydock/job/v1/job.proto",
    "drydock.job.v1.JOB_STATUS_PENDING": "drydock/job/v1/job.proto",
    "google.protobuf.Struct.FieldsEntry": "google/protobuf/struct.proto",
    "grpc.health.v1.HealthCheckResponse.ServingStatus": "grpc/health/v1/health.proto",
    "grpc.health.v1.HealthCheckResponse.SERVING": "grpc/health/v1/health.proto",
  };
  for (const [symbol, file] of Object.entries(symbols)) {
    test(`finds ${symbol}`, () => assert.equal(index.fileOf(symbol), file));
  }

  test("does not find what is not there", () => {
    assert.equal(index.fileOf("drydock.job.v1"), undefined);
    assert.equal(index.fileOf("LaunchJob"), undefined);
    assert.equal(index.hasFile("nope.proto"), false);
    assert.equal(index.extensionsOf("nope.Message"), undefined);
    assert.deepEqual(index.extensionsOf("drydock.job.v1.JobStats"), []);
  });

  test("gives a file with all that it imports, directly or not, each once", () => {
    const files = index.closure("drydock/job/v1/job_service.proto");
    assert.equal(files[0], "drydock/job/v1/job_service.proto");
    assert.ok(files.includes("google/protobuf/struct.proto"));
    assert.equal(new Set(files).size, files.length);
  });

  test("holds every file that any of its files imports, so that no closure breaks", () => {
    for (const symbol of Object.keys(symbols)) {
      for (const file of index.closure(index.fileOf(symbol) ?? "")) {
        assert.equal(fromBinary(FileDescriptorProtoSchema, index.bytesOf(file)).name, file);
      }
    }
  });
});

test("extensions are found by the type that they extend", () => {
  const file = {
    name: "x.proto",
    package: "x",
    messageType: [{ name: "Base", extensionRange: [{ start: 100, end: 200 }] }],
    extension: [{ name: "extra", extendee: ".x.Base", number: 101 }],
  };
  const set = create(FileDescriptorSetSchema, { file: [file] });
  const extended = indexDescriptors(toBinary(FileDescriptorSetSchema, set));
  assert.equal(extended.fileOf("x.extra"), "x.proto");
  assert.equal(extended.fileOfExtension("x.Base", 101), "x.proto");
  assert.equal(extended.fileOfExtension("x.Base", 102), undefined);
  assert.deepEqual(extended.extensionsOf("x.Base"), [101]);
});
