import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HealthService } from "@drydock/shared/gen/grpc/health/v1/health.ts";
import { ServerReflectionClient } from "@drydock/shared/gen/grpc/reflection/v1/reflection.ts";
import { ServerReflectionClient as ServerReflectionAlphaClient } from "@drydock/shared/gen/grpc/reflection/v1alpha/reflection.ts";
import { serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { createOpsServer, type Readiness } from "@drydock/shared/ops-server.ts";
import { credentials, status as StatusCode } from "@grpc/grpc-js";
import { collect, isRpcError, type Rig, startRig } from "../support/grpc-rig.ts";

describe("grpc.health.v1", () => {
  const check = (rig: Rig, service: string) =>
    unaryCall(rig.client, HealthService.check, { service }, { deadlineMs: 5_000 });

  test("tells whether a service serves, and NOT_FOUND of one that it does not know", async () => {
    const rig = await startRig();
    assert.deepEqual(await check(rig, "test.TestService"), { status: 2 });
    rig.health.setAll(true);
    assert.deepEqual(await check(rig, "test.TestService"), { status: 1 });
    assert.deepEqual(await check(rig, ""), { status: 1 });
    await assert.rejects(check(rig, "nope"), isRpcError("NOT_FOUND"));
    const { statuses } = await unaryCall(rig.client, HealthService.list, {}, { deadlineMs: 5_000 });
    assert.deepEqual(Object.keys(statuses), ["", "test.TestService"]);
    await rig.stop();
  });

  test("lets clients watch a service, from unknown to the end of the server", async () => {
    const rig = await startRig();
    const statuses: number[] = [];
    const watching = (async () => {
      for await (const { status } of serverStreamCall(rig.client, HealthService.watch, { service: "late" })) {
        statuses.push(status);
        if (status === 3) rig.health.set("late", true);
        if (status === 1) void rig.server.stop();
      }
    })();
    await assert.rejects(watching, isRpcError("UNAVAILABLE", "SHUTTING_DOWN"));
    assert.deepEqual(statuses, [3, 1, 2]);
    await rig.stop();
  });
});

describe("grpc.reflection", () => {
  for (const [version, Reflection] of [
    ["v1", ServerReflectionClient],
    ["v1alpha", ServerReflectionAlphaClient],
  ] as const) {
    test(`${version} tells services, files once each, and what it does not know`, async () => {
      const rig = await startRig();
      const client = new Reflection(rig.server.address, credentials.createInsecure());
      const stream = client.serverReflectionInfo();
      const ask = (messageRequest: Parameters<typeof stream.write>[0]["messageRequest"]) =>
        stream.write({ host: "", messageRequest });
      ask({ $case: "listServices", value: "*" });
      ask({ $case: "fileContainingSymbol", value: "drydock.job.v1.JobService.LaunchJob" });
      ask({ $case: "fileByFilename", value: "drydock/job/v1/job_service.proto" });
      ask({ $case: "fileContainingSymbol", value: "drydock.nope" });
      stream.end();
      const [services, files, again, unknown] = (await collect(stream)).map(({ messageResponse }) => messageResponse);
      assert.ok(services?.$case === "listServicesResponse");
      assert.ok(services.value.service.some(({ name }: { name: string }) => name === "test.TestService"));
      assert.ok(files?.$case === "fileDescriptorResponse" && files.value.fileDescriptorProto.length > 2);
      assert.ok(again?.$case === "fileDescriptorResponse" && again.value.fileDescriptorProto.length === 1);
      assert.ok(unknown?.$case === "errorResponse" && unknown.value.errorCode === StatusCode.NOT_FOUND);
      client.close();
      await rig.stop();
    });
  }
});

test("the ops server tells health, readiness and metrics, and stops for good", async () => {
  let readiness: Readiness = { ready: true, checks: { redis: true } };
  const server = createOpsServer({
    listen: "127.0.0.1:0",
    ready: () => readiness,
    metrics: createMetrics({ defaults: true }),
    logger: createLogger({ name: "test", level: "silent" }),
  });
  await server.stop();
  await server.start();
  const url = `http://${server.address}`;
  const get = (path: string, init?: RequestInit) => fetch(url + path, init);
  assert.equal((await get("/healthz")).status, 200);
  assert.equal((await get("/readyz")).status, 200);
  readiness = { ready: false, checks: { redis: "does not answer" } };
  const notReady = await get("/readyz?verbose");
  assert.equal(notReady.status, 503);
  assert.deepEqual(await notReady.json(), readiness);
  assert.match(await (await get("/metrics")).text(), /^process_cpu_seconds_total /m);
  assert.equal((await get("/nope")).status, 404);
  assert.equal((await get("/healthz", { method: "POST" })).status, 405);
  await server.stop();
  await server.stop();
  await assert.rejects(get("/healthz"));
});
