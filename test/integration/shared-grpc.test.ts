import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { sleep } from "@drydock/shared/abort.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { HealthService } from "@drydock/shared/gen/grpc/health/v1/health.ts";
import { ServerReflectionClient } from "@drydock/shared/gen/grpc/reflection/v1/reflection.ts";
import { ServerReflectionClient as ServerReflectionAlphaClient } from "@drydock/shared/gen/grpc/reflection/v1alpha/reflection.ts";
import { createChannelOptions, RpcError, serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import { bidiStream, type CallContext, clientStream, serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer, type GrpcServerOptions } from "@drydock/shared/grpc/server.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { createOpsServer, type Readiness } from "@drydock/shared/ops-server.ts";
import { Client, credentials, Metadata, type ServiceError, status as StatusCode } from "@grpc/grpc-js";

const descriptors = readFileSync(new URL(import.meta.resolve("@drydock/shared/gen/descriptors.binpb")));

type Json = { [key: string]: unknown };

function method(name: string, requestStream: boolean, responseStream: boolean) {
  const serialize = (value: Json) => Buffer.from(JSON.stringify(value));
  const deserialize = (bytes: Buffer): Json => JSON.parse(bytes.toString());
  return {
    path: `/test.TestService/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  };
}

const definition = {
  call: method("Call", false, false),
  collect: method("Collect", true, false),
  list: method("List", false, true),
  talk: method("Talk", true, true),
};

/** What the test's service does; each test may change it. */
interface Behaviour {
  call: (request: Json, call: CallContext) => Promise<Json>;
  list: (request: Json, call: CallContext) => AsyncIterable<Json>;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

function waitForAbort(reached: PromiseWithResolvers<unknown>): Behaviour["call"] {
  return async (_, { signal }) => {
    reached.resolve(undefined);
    return untilAborted(signal);
  };
}

/** A server with the test's service, a client of it and the lines that it logged. */
async function startRig(options: Partial<GrpcServerOptions> = {}) {
  const behaviour: Behaviour = {
    call: async (request) => request,
    list: async function* ({ count }) {
      for (let n = 0; n < Number(count); n++) yield { n };
    },
  };
  const log: Json[] = [];
  const logger = createLogger({
    name: "test",
    level: "debug",
    format: "json",
    destination: { write: (line) => log.push(JSON.parse(line)) },
  });
  const metrics = createMetrics();
  const health = createHealthState();
  const implementation = {
    call: unary<Json, Json>((request, call) => behaviour.call(request, call)),
    list: serverStream<Json, Json>((request, call) => behaviour.list(request, call)),
    collect: clientStream<Json, Json>(async (requests) => {
      const all: Json[] = [];
      for await (const request of requests) {
        if (request.bad) throw new ReasonedError("PROTOCOL_VIOLATION", "bad one");
        all.push(request);
      }
      return { all };
    }),
    talk: bidiStream<Json, Json>(async (call) => {
      await call.onMessage((message) => {
        if (message.bad) throw new ReasonedError("PROTOCOL_VIOLATION", "bad one");
        if (message.bye) call.end();
        else call.send(message);
      });
    }),
  };
  const server = createGrpcServer({
    listen: "127.0.0.1:0",
    services: [{ definition, implementation }],
    health,
    descriptors,
    logger,
    metrics,
    ...options,
  });
  await server.start();
  const client = new Client(server.address, credentials.createInsecure(), createChannelOptions());
  const call = (request: Json, settings: { deadlineMs?: number; signal?: AbortSignal; metadata?: Metadata } = {}) =>
    unaryCall(client, definition.call, request, { deadlineMs: 5_000, ...settings });
  const talk = () => {
    const { path, requestSerialize, responseDeserialize } = definition.talk;
    return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  };
  const stop = async () => {
    client.close();
    await server.stop();
  };
  return { behaviour, call, client, health, log, metrics, server, stop, talk };
}

type Rig = Awaited<ReturnType<typeof startRig>>;

const isRpcError = (code: string, reason?: string) => (error: unknown) => {
  assert.ok(error instanceof RpcError, String(error));
  assert.deepEqual([error.code, error.reason], [code, reason]);
  return true;
};

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Resolves when the number has not changed for 50 ms. */
async function untilSteady(read: () => number): Promise<void> {
  for (let last = -1; last !== read(); await sleep(50)) last = read();
}

describe("a gRPC server", () => {
  let rig: Rig;
  before(async () => {
    rig = await startRig();
  });
  after(() => rig.stop());

  test("answers a unary call, and tells the handler about it", async () => {
    let seen: CallContext | undefined;
    rig.behaviour.call = async (_, call) => {
      seen = call;
      return { requestId: call.requestId, traceparent: call.traceparent };
    };
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const metadata = new Metadata();
    metadata.set("x-request-id", "r-1");
    metadata.set("traceparent", traceparent);
    assert.deepEqual(await rig.call({}, { metadata }), { requestId: "r-1", traceparent });
    assert.match(seen?.peer ?? "", /^127\.0\.0\.1:\d+$/);
    assert.ok(Math.abs((seen?.deadline ?? 0) - Date.now() - 5_000) < 1_000);
    assert.equal(seen?.signal.aborted, false);
  });

  test("ignores a request id and a trace context that are unsound", async () => {
    rig.behaviour.call = async (_, call) => ({ requestId: call.requestId, traceparent: call.traceparent });
    const metadata = new Metadata();
    metadata.set("x-request-id", "a b");
    metadata.set("traceparent", "00-0");
    const { requestId, traceparent } = await rig.call({}, { metadata });
    assert.match(String(requestId), /^[0-9a-f-]{36}$/);
    assert.equal(traceparent, undefined);
  });

  test("answers a thrown ReasonedError with its status and details", async () => {
    rig.behaviour.call = async () => {
      throw new ReasonedError("JOB_NOT_FOUND", "no job j-1", { metadata: { job_id: "j-1" } });
    };
    await assert.rejects(rig.call({}), isRpcError("NOT_FOUND", "JOB_NOT_FOUND"));
  });

  test("answers any other error with INTERNAL and logs its cause under the request id", async () => {
    for (const behaviour of [
      async () => Promise.reject(new Error("hunter2")),
      () => {
        throw new Error("hunter2");
      },
    ]) {
      rig.log.length = 0;
      rig.behaviour.call = behaviour;
      const error: unknown = await rig.call({}).catch((thrown) => thrown);
      assert.ok(error instanceof RpcError);
      assert.deepEqual([error.code, error.reason], ["INTERNAL", "INTERNAL"]);
      assert.doesNotMatch(error.message, /hunter2/);
      const line = rig.log.find(({ level }) => level === "error");
      assert.equal(line?.requestId, error.requestId);
      assert.match(JSON.stringify(line), /hunter2/);
    }
  });

  test("sends an error whose text is hostile", async () => {
    rig.behaviour.call = async () => {
      throw new ReasonedError("JOB_NOT_FOUND", "\ud800 \n % 字".repeat(10_000));
    };
    await assert.rejects(rig.call({}), isRpcError("NOT_FOUND", "JOB_NOT_FOUND"));
  });

  test("aborts the handler's signal when the caller cancels", async () => {
    const reached = Promise.withResolvers<unknown>();
    const aborted = Promise.withResolvers<DOMException>();
    rig.behaviour.call = async (request, call) => {
      call.signal.addEventListener("abort", () => aborted.resolve(call.signal.reason));
      return waitForAbort(reached)(request, call);
    };
    const caller = new AbortController();
    const answer = rig.call({}, { signal: caller.signal });
    await reached.promise;
    caller.abort(new Error("enough"));
    await assert.rejects(answer, /enough/);
    assert.equal((await aborted.promise).name, "AbortError");
  });

  test("aborts the handler's signal when the deadline is over", async () => {
    const reasons: DOMException[] = [];
    rig.behaviour.call = async (_, { signal }) =>
      untilAborted(signal).catch((reason) => {
        reasons.push(reason);
        throw reason;
      });
    await assert.rejects(rig.call({}, { deadlineMs: 50 }), isRpcError("DEADLINE_EXCEEDED"));
    while (reasons.length === 0) await sleep(1);
    assert.equal(reasons[0]?.name, "TimeoutError");
  });

  test("refuses a message over 4 MiB and lives on", async () => {
    rig.behaviour.call = async (request) => request;
    const settings = createChannelOptions({ maxSendBytes: 8 * 1024 * 1024 });
    const client = new Client(rig.server.address, credentials.createInsecure(), settings);
    const large = unaryCall(client, definition.call, { text: "x".repeat(5 * 1024 * 1024) }, { deadlineMs: 5_000 });
    await assert.rejects(large, isRpcError("RESOURCE_EXHAUSTED"));
    client.close();
    assert.deepEqual(await rig.call({ a: 1 }), { a: 1 });
  });

  test("streams responses to their end", async () => {
    assert.deepEqual(await collect(serverStreamCall(rig.client, definition.list, { count: 3 })), [
      { n: 0 },
      { n: 1 },
      { n: 2 },
    ]);
  });

  test("reads a stream no faster than its client, and ends it when the client leaves", async () => {
    let made = 0;
    const ended = Promise.withResolvers<void>();
    rig.behaviour.list = async function* () {
      try {
        while (made < 5_000) {
          made += 1;
          yield { text: "x".repeat(64 * 1024) };
        }
      } finally {
        ended.resolve();
      }
    };
    for await (const _ of serverStreamCall(rig.client, definition.list, {})) {
      await untilSteady(() => made);
      break;
    }
    await ended.promise;
    assert.ok(made < 200, `made ${made}`);
  });

  test("sends what a stream made before it failed, and then the error", async () => {
    rig.behaviour.list = async function* () {
      yield { n: 1 };
      throw new ReasonedError("JOB_NOT_FOUND", "gone");
    };
    const got: Json[] = [];
    const reading = (async () => {
      for await (const item of serverStreamCall(rig.client, definition.list, {})) got.push(item);
    })();
    await assert.rejects(reading, isRpcError("NOT_FOUND", "JOB_NOT_FOUND"));
    assert.deepEqual(got, [{ n: 1 }]);
  });

  test("ends a stream with the reason that its caller's signal gives", async () => {
    rig.behaviour.list = async function* (_, { signal }) {
      yield { n: 1 };
      await untilAborted(signal);
    };
    const caller = new AbortController();
    const reading = (async () => {
      const items = serverStreamCall(rig.client, definition.list, {}, { signal: caller.signal });
      for await (const _ of items) caller.abort(new Error("enough"));
    })();
    await assert.rejects(reading, /enough/);
  });

  test("collects a stream of requests, or refuses it half-way", async () => {
    const send = (requests: Json[]) =>
      new Promise<Json | undefined>((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = definition.collect;
        const stream = rig.client.makeClientStreamRequest<Json, Json>(
          path,
          requestSerialize,
          responseDeserialize,
          (error, response) => (error === null ? resolve(response) : reject(error)),
        );
        for (const request of requests) stream.write(request);
        stream.end();
      });
    assert.deepEqual(await send([{ n: 1 }, { n: 2 }]), { all: [{ n: 1 }, { n: 2 }] });
    await assert.rejects(send([{ n: 1 }, { bad: true }, { n: 2 }]), { code: StatusCode.FAILED_PRECONDITION });
  });

  test("talks both ways until the client has said all", async () => {
    const stream = rig.talk();
    for (const n of [1, 2, 3]) stream.write({ n });
    stream.end();
    assert.deepEqual(await collect(stream), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test("may end a conversation itself, well or badly", async () => {
    const polite = rig.talk();
    polite.write({ n: 1 });
    polite.write({ bye: true });
    assert.deepEqual(await collect(polite), [{ n: 1 }]);
    const rude = rig.talk();
    rude.write({ bad: true });
    await assert.rejects(collect(rude), { code: StatusCode.FAILED_PRECONDITION });
  });

  test("counts calls by method and status, from zero on", async () => {
    const own = await startRig();
    const series = (name: string, code: string) =>
      `grpc_server_handled_total{grpc_type="unary",grpc_service="test.TestService",grpc_method="${name}",grpc_code="${code}"}`;
    assert.ok((await own.metrics.text()).includes(`${series("Call", "OK")} 0`));
    await own.call({});
    own.behaviour.call = async () => {
      throw new ReasonedError("JOB_NOT_FOUND", "gone");
    };
    await assert.rejects(own.call({}));
    const reached = Promise.withResolvers<unknown>();
    own.behaviour.call = waitForAbort(reached);
    await assert.rejects(own.call({}, { deadlineMs: 50 }));
    await own.stop();
    const text = await own.metrics.text();
    for (const code of ["OK", "NotFound", "DeadlineExceeded"]) assert.ok(text.includes(`${series("Call", code)} 1`));
    assert.match(text, /grpc_server_handling_seconds_count\{.*grpc_method="Call"\} 3/);
  });
});

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
