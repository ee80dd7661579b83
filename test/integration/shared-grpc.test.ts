import assert from "node:assert/strict";
import { constants } from "node:http2";
import { after, before, describe, test } from "node:test";
import { sleep } from "@drydock/shared/abort.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { createChannelOptions, RpcError, serverStreamCall, unaryCall } from "@drydock/shared/grpc/client.ts";
import type { CallContext } from "@drydock/shared/grpc/handler.ts";
import { Client, credentials, Metadata, status as StatusCode } from "@grpc/grpc-js";
import {
  collect,
  definition,
  isRpcError,
  type Json,
  type Rig,
  startRig,
  untilAborted,
  untilSteady,
  waitForAbort,
} from "../support/grpc-rig.ts";
import { UnreadCall } from "../support/unread-call.ts";

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

  test("lets a deadline be as far away as its caller likes", async () => {
    for (const deadlineMs of [2 ** 31 - 1_000, 2 ** 31, 2 ** 31 + 60_000, 2 ** 32 + 5, 2 ** 40]) {
      let deadline: number | undefined;
      rig.behaviour.call = async (request, call) => {
        deadline = call.deadline;
        await sleep(20);
        return request;
      };
      const asked = Date.now() + deadlineMs;
      assert.deepEqual(await rig.call({ deadlineMs }, { deadlineMs }), { deadlineMs });
      assert.ok(deadline === undefined || Math.abs(deadline - asked) < 5_000, `${deadlineMs}: ${deadline}`);
    }
  });

  test("refuses a message over 4 MiB and lives on", async () => {
    rig.behaviour.call = async (request) => request;
    const settings = createChannelOptions({ maxSendBytes: 8 * 1024 * 1024 });
    const client = new Client(rig.server.address, credentials.createInsecure(), settings);
    const large = unaryCall(client, definition.call, { text: "x".repeat(5 * 1024 * 1024) }, { deadlineMs: 5_000 });
    await assert.rejects(large, isRpcError("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"));
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

describe("a client that does not read", () => {
  let rig: Rig;
  before(async () => {
    rig = await startRig({ unreadMs: 200 });
  });
  after(() => rig.stop());

  test("is cut off, and what was made for it is let go", async () => {
    const over = Promise.withResolvers<DOMException>();
    let made = 0;
    rig.behaviour.list = async function* (_, { signal }) {
      signal.addEventListener("abort", () => over.resolve(signal.reason), { once: true });
      for (; ; made++) yield { text: "x".repeat(1_000_000) };
    };
    const call = new UnreadCall(rig.server.address, definition.list.path, definition.list.requestSerialize({}));
    assert.equal((await over.promise).name, "AbortError");
    assert.ok(made <= 2, `${made} answers`);
    assert.equal(await call.closed, constants.NGHTTP2_CANCEL);
    call.close();
  });

  test("is not cut off while there is nothing to read, however long", async () => {
    rig.behaviour.list = async function* () {
      for (let n = 0; n < 2; n++) {
        yield { n };
        await sleep(600);
      }
    };
    assert.equal((await collect(serverStreamCall(rig.client, definition.list, {}))).length, 2);
  });
});
