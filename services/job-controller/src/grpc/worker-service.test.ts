import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { WorkerMessage, WorkRequest, WorkResponse } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { CallScope } from "@drydock/shared/grpc/call-scope.ts";
import { toRpcError } from "@drydock/shared/grpc/client.ts";
import type { BidiStreamHandler } from "@drydock/shared/grpc/handler.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { Metadata, type ServerDuplexStream, type ServiceError } from "@grpc/grpc-js";
import { defaultLeaseTerms } from "../domain/lease-terms.ts";
import type { HelloReply } from "../ports/job-pool.ts";
import { Dispatcher } from "../usecases/dispatcher.ts";
import { JobChanges } from "../usecases/job-changes.ts";
import { createWorkerService, type WorkerServiceDeps } from "./worker-service.ts";

type Content = NonNullable<WorkerMessage["message"]>;

const logger = createLogger({ name: "test", level: "silent" });
const lease = { jobId: "job-1", token: 1 };
const oldCheckIn: Content = { $case: "checkin", value: { lease, text: "late", progress: undefined } };
const hello: Content = {
  $case: "hello",
  value: {
    workerId: "w1",
    incarnation: "3f0c2a1e-process-1",
    version: "1",
    jobTypes: [],
    slots: 1,
    held: [],
    closed: [],
  },
};

/** A Work call as grpc-js gives it to the service; the test is the client. */
class ScriptedCall extends EventEmitter {
  readonly metadata = new Metadata();
  readonly received: string[] = [];
  cancelled = false;
  writable = true;
  /** The reason of the error that ended the call, or "OK". */
  outcome: string | undefined;

  constructor() {
    super();
    this.on("error", (error: ServiceError) => this.#finish(toRpcError(error).reason));
  }

  getPeer = () => "test";
  pause = () => {};
  resume = () => {};
  getDeadline = () => Number.POSITIVE_INFINITY;

  write({ messages }: WorkResponse): boolean {
    for (const { message } of messages) this.received.push(message?.$case ?? "");
    return true;
  }

  end(): void {
    this.#finish("OK");
  }

  send(...contents: Content[]): void {
    this.emit("data", { messages: contents.map((message) => ({ message })) } satisfies WorkRequest);
  }

  breakOff(): void {
    this.cancelled = true;
    this.writable = false;
    this.emit("cancelled");
  }

  #finish(outcome: string | undefined): void {
    this.writable = false;
    this.outcome = outcome;
  }
}

/** A Work stream on a pool that answers its Hello when the test says so. */
function openStream() {
  const stored = Promise.withResolvers<HelloReply>();
  const releases: string[] = [];
  const pool = {
    hello: () => stored.promise,
    checkIn: async () => {
      throw new ReasonedError("JOB_NOT_FOUND", "there is no such job");
    },
    update: async () => {},
    leave: async () => releases.push("leave"),
    disconnect: async () => releases.push("disconnect"),
  };
  const types = { register: async () => ({ replaced: [], keptBack: [] }) };
  const dispatcher = new Dispatcher(logger);
  const deps = {
    pool,
    types,
    dispatcher,
    changes: new JobChanges(),
    messageMemory: { roomFor: () => undefined },
    clock: systemClock,
    terms: defaultLeaseTerms,
    logger,
  };
  const call = new ScriptedCall();
  let shutDown = () => {};
  const scope: CallScope = {
    begin: (endable) => {
      shutDown = () => endable.abort(new ReasonedError("SHUTTING_DOWN", "bye"));
      return 0;
    },
    answered: () => {},
    left: () => {},
  };
  const { work } = createWorkerService(deps as unknown as WorkerServiceDeps);
  (work as BidiStreamHandler<WorkRequest, WorkResponse>)(
    call as unknown as ServerDuplexStream<WorkRequest, WorkResponse>,
    scope,
  );
  const welcome = () => stored.resolve({ keep: [], drop: [], commands: [], drain: false });
  return { call, dispatcher, releases, welcome, refuse: stored.reject, shutDown: () => shutDown() };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

describe("messages that come before the Welcome", () => {
  test("are ignored when they are late, as those behind it are", async () => {
    const { call, welcome } = openStream();
    call.send(hello, oldCheckIn);
    welcome();
    await settle();
    call.send(oldCheckIn);
    await settle();
    assert.deepEqual([call.outcome, call.received], [undefined, ["welcome"]]);
  });

  test("end the stream when they break the protocol", async () => {
    const { call, welcome } = openStream();
    call.send(hello, hello);
    await settle();
    assert.equal(call.outcome, undefined);
    welcome();
    await settle();
    assert.equal(call.outcome, "PROTOCOL_VIOLATION");
  });
});

describe("the time that a Hello may take", () => {
  test("ends a stream on which none came", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { call } = openStream();
    context.mock.timers.tick(10_000);
    await settle();
    assert.equal(call.outcome, "PROTOCOL_VIOLATION");
  });

  test("is over when the Hello has come, however long the pool takes to answer it", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { call, welcome } = openStream();
    call.send(hello);
    context.mock.timers.tick(10_000);
    welcome();
    await settle();
    assert.deepEqual([call.outcome, call.received], [undefined, ["welcome"]]);
  });
});

describe("the lease of a stream that ends between its Hello and its Welcome", () => {
  test("is cut when the connection broke", async () => {
    const { call, dispatcher, releases, welcome } = openStream();
    call.send(hello);
    call.breakOff();
    await settle();
    welcome();
    await settle();
    assert.deepEqual([releases, dispatcher.sessions.size], [["disconnect"], 0]);
  });

  test("is cut when both settle in the same tick", async () => {
    for (const isWelcomeFirst of [true, false]) {
      const { call, dispatcher, releases, welcome } = openStream();
      call.send(hello);
      await settle();
      if (isWelcomeFirst) welcome();
      call.breakOff();
      welcome();
      await settle();
      assert.deepEqual([releases, dispatcher.sessions.size], [["disconnect"], 0]);
    }
  });

  test("is given back when the worker has sent Draining behind its Hello", async () => {
    const { call, releases, welcome } = openStream();
    call.send(hello, { $case: "draining", value: {} });
    call.emit("end");
    await settle();
    welcome();
    await settle();
    assert.deepEqual([releases, call.outcome], [["leave"], "OK"]);
  });

  test("is kept when the controller shuts down", async () => {
    const { call, releases, welcome, shutDown } = openStream();
    call.send(hello);
    shutDown();
    await settle();
    welcome();
    await settle();
    assert.deepEqual([releases, call.outcome], [[], "SHUTTING_DOWN"]);
  });

  test("is cut when the Hello was stored, perhaps, and could not be answered", async () => {
    const { call, releases, refuse } = openStream();
    call.send(hello);
    refuse(new ReasonedError("REDIS_UNAVAILABLE", "Redis does not answer"));
    await settle();
    assert.deepEqual([releases, call.outcome], [["disconnect"], "REDIS_UNAVAILABLE"]);
  });
});
