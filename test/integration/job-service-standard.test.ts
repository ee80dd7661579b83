import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { ServerReflectionClient } from "@drydock/shared/gen/grpc/reflection/v1/reflection.ts";
import { ServerReflectionClient as ServerReflectionAlphaClient } from "@drydock/shared/gen/grpc/reflection/v1alpha/reflection.ts";
import { credentials } from "@grpc/grpc-js";
import { checkHealth, listHealth, watchHealth } from "../support/health.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

const services = [
  "drydock.job.v1.JobService",
  "drydock.job.v1.QueueService",
  "drydock.report.v1.PolicyService",
  "drydock.report.v1.ReportService",
  "drydock.worker.v1.WorkerService",
];
const jobMethods = [
  "LaunchJob",
  "GetJob",
  "StopJob",
  "CancelJob",
  "RetryJob",
  "CheckStatus",
  "GetJobLogData",
  "WatchJob",
];

/** The names of all services, and the files that describe those of ours, with all that these import. */
async function readReflection(client: ServerReflectionClient | ServerReflectionAlphaClient) {
  const stream = client.serverReflectionInfo();
  stream.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
  for (const value of services) stream.write({ host: "", messageRequest: { $case: "fileContainingSymbol", value } });
  stream.end();
  const names: string[] = [];
  const files: FileDescriptorProto[] = [];
  for await (const { messageResponse: answer } of stream) {
    assert.ok(answer?.$case === "listServicesResponse" || answer?.$case === "fileDescriptorResponse", answer?.$case);
    if (answer.$case === "listServicesResponse") {
      names.push(...answer.value.service.map(({ name }: { name: string }) => name));
    } else {
      files.push(
        ...answer.value.fileDescriptorProto.map((bytes: Uint8Array) => fromBinary(FileDescriptorProtoSchema, bytes)),
      );
    }
  }
  return { names, files };
}

describe("a job-controller", () => {
  let stack: Stack;
  let controller: Controller;
  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
  });
  after(() => stack.stop());

  test("says that it and each of its services serve", async () => {
    const { client } = controller.api;
    for (const service of ["", ...services]) assert.equal(await checkHealth(client, service), "SERVING", service);
    const list = await listHealth(client);
    assert.deepEqual(Object.keys(list).toSorted(), ["", ...services]);
    assert.deepEqual([...new Set(Object.values(list))], ["SERVING"]);
  });

  test("does not know the health of what it does not serve", async () => {
    const { client } = controller.api;
    assert.equal((await refusalOf(checkHealth(client, "drydock.job.v1.Nope"))).code, "NOT_FOUND");
    const gone = new AbortController();
    for await (const word of watchHealth(client, "drydock.job.v1.Nope", gone.signal)) {
      assert.equal(word, "SERVICE_UNKNOWN");
      break;
    }
  });

  test("tells those who watch its health how it is at once", async () => {
    const gone = new AbortController();
    for await (const word of watchHealth(controller.api.client, "", gone.signal)) {
      assert.equal(word, "SERVING");
      break;
    }
  });

  test("answers operators over HTTP", async () => {
    const get = async (path: string) => {
      const response = await fetch(controller.opsUrl + path);
      return { status: response.status, text: await response.text() };
    };
    assert.equal((await get("/healthz")).status, 200);
    const ready = await get("/readyz");
    assert.deepEqual(
      [ready.status, JSON.parse(ready.text)],
      [200, { ready: true, checks: { redis: true, signals: true, reaper: true } }],
    );
    assert.match((await get("/metrics")).text, /^grpc_server_handled_total\{.*JobService|^grpc_server_/m);
    assert.equal((await get("/nope")).status, 404);
  });

  for (const [version, Reflection] of [
    ["v1", ServerReflectionClient],
    ["v1alpha", ServerReflectionAlphaClient],
  ] as const) {
    test(`describes its whole contract through reflection ${version}`, async () => {
      const client = new Reflection(controller.address, credentials.createInsecure());
      const { names, files } = await readReflection(client);
      client.close();
      for (const service of [...services, "grpc.health.v1.Health"]) assert.ok(names.includes(service), service);
      const byName = new Map(files.map((file) => [file.name, file]));
      const methods = services.flatMap((service) => {
        const file = files.find((own) => `${own.package}.${own.service[0]?.name}` === service);
        assert.ok(file !== undefined, service);
        const registry = createFileRegistry(file, (name) => byName.get(name));
        return registry.getService(service)?.methods.map(({ name }) => name) ?? [];
      });
      for (const method of [...jobMethods, "GetReport", "Work"]) assert.ok(methods.includes(method), method);
    });
  }

  test("refuses settings that are wrong, all at once, with code 2", async () => {
    const settings = { DRYDOCK_LISTEN: "nowhere", DRYDOCK_SHARDS: "0", DRYDOCK_REDIS_ULR: "redis://secret@x" };
    const error = await stack.startController(settings).then(
      () => assert.fail("it started"),
      (thrown: { message: string; log: string }) => thrown,
    );
    assert.match(error.message, /code 2/);
    for (const name of ["DRYDOCK_LISTEN", "DRYDOCK_SHARDS", "DRYDOCK_REDIS_ULR", "DRYDOCK_REDIS_URL"]) {
      assert.match(error.log, new RegExp(name));
    }
    assert.doesNotMatch(error.log, /secret/);
  });

  test("starts before its Redis does, and serves once that is there", async () => {
    await using late = await startStack();
    await late.redis.crash();
    const early = await late.startController();
    assert.equal(await checkHealth(early.api.client), "NOT_SERVING");
    assert.deepEqual(await refusalFacts(early.api.launchDemo()), ["UNAVAILABLE", "REDIS_UNAVAILABLE"]);
    await late.redis.resume();
    const gone = new AbortController();
    for await (const word of watchHealth(early.api.client, "", gone.signal)) if (word === "SERVING") break;
  });
});
