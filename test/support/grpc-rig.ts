import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { sleep } from "@drydock/shared/abort.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { createChannelOptions, RpcError, unaryCall } from "@drydock/shared/grpc/client.ts";
import { bidiStream, type CallContext, clientStream, serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer, type GrpcServerOptions } from "@drydock/shared/grpc/server.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { Client, credentials, type Metadata } from "@grpc/grpc-js";

export const descriptors = readFileSync(new URL(import.meta.resolve("@drydock/shared/gen/descriptors.binpb")));

export type Json = { [key: string]: unknown };

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

export const definition = {
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

export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

export function waitForAbort(reached: PromiseWithResolvers<unknown>): Behaviour["call"] {
  return async (_, { signal }) => {
    reached.resolve(undefined);
    return untilAborted(signal);
  };
}

/** A server with the test's service, a client of it and the lines that it logged. */
export async function startRig(options: Partial<GrpcServerOptions> = {}) {
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

export type Rig = Awaited<ReturnType<typeof startRig>>;

export const isRpcError = (code: string, reason?: string) => (error: unknown) => {
  assert.ok(error instanceof RpcError, String(error));
  assert.deepEqual([error.code, error.reason], [code, reason]);
  return true;
};

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Resolves when the number has not changed for 50 ms. */
export async function untilSteady(read: () => number): Promise<void> {
  for (let last = -1; last !== read(); await sleep(50)) last = read();
}
