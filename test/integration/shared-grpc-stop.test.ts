import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer } from "@drydock/shared/grpc/server.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { type ServiceError, status as StatusCode } from "@grpc/grpc-js";
import { definition, descriptors, isRpcError, startRig, untilSteady } from "../support/grpc-rig.ts";

describe("stopping a gRPC server", () => {
  test("lets running calls end", async () => {
    const rig = await startRig();
    const reached = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    rig.behaviour.call = async () => {
      reached.resolve();
      await mayEnd.promise;
      return { done: true };
    };
    const answer = rig.call({});
    await reached.promise;
    const stopped = rig.server.stop();
    mayEnd.resolve();
    assert.deepEqual(await answer, { done: true });
    await stopped;
    await rig.stop();
  });

  test("ends streams with UNAVAILABLE, so that clients go elsewhere", async () => {
    const rig = await startRig();
    const stream = rig.talk();
    stream.write({ n: 1 });
    await once(stream, "data");
    const failed = once(stream, "error");
    await rig.server.stop();
    const [error] = (await failed) as [ServiceError];
    assert.equal(error.code, StatusCode.UNAVAILABLE);
    await rig.stop();
  });

  for (const [when, graceMs, signal] of [
    ["that do not end within the grace time", 50, undefined],
    ["at once when it is told to hurry", 60_000, AbortSignal.abort()],
  ] as const) {
    test(`answers calls ${when} with UNAVAILABLE and aborts their signals`, async () => {
      const rig = await startRig({ graceMs });
      const reached = Promise.withResolvers<AbortSignal>();
      rig.behaviour.call = async (_, call) => {
        reached.resolve(call.signal);
        return new Promise(() => {});
      };
      const refused = assert.rejects(rig.call({}), isRpcError("UNAVAILABLE", "SHUTTING_DOWN"));
      const handlerSignal = await reached.promise;
      await rig.server.stop(signal);
      assert.ok(handlerSignal.aborted);
      await refused;
      await rig.stop();
    });
  }

  test("cuts a connection whose client does not read", async () => {
    const rig = await startRig({ graceMs: 50 });
    let made = 0;
    rig.behaviour.list = async function* () {
      while (true) yield { n: made++, text: "x".repeat(64 * 1024) };
    };
    const { path, requestSerialize, responseDeserialize } = definition.list;
    const stream = rig.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
    await once(stream, "data");
    stream.pause();
    await untilSteady(() => made);
    const failed = once(stream, "error");
    await rig.server.stop();
    stream.resume();
    await failed;
    await rig.stop();
  });

  test("is safe before the start, and twice", async () => {
    const logger = createLogger({ name: "test", level: "silent" });
    const health = createHealthState();
    const server = createGrpcServer({ listen: "127.0.0.1:0", services: [], health, descriptors, logger });
    await server.stop();
    await server.stop();
    assert.throws(() => server.address);
  });

  test("a server can't start on a port that is taken, and says so", async () => {
    const rig = await startRig();
    await assert.rejects(startRig({ listen: rig.server.address }), /can't listen on 127\.0\.0\.1:\d+/);
    await rig.stop();
  });
});
