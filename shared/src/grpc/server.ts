import type { Http2Server } from "node:http2";
import type { Readable } from "node:stream";
import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  setLogger,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { HealthService } from "../../gen/grpc/health/v1/health.ts";
import { ServerReflectionService } from "../../gen/grpc/reflection/v1/reflection.ts";
import { ServerReflectionService as ServerReflectionAlphaService } from "../../gen/grpc/reflection/v1alpha/reflection.ts";
import { abortable, sleep } from "../abort.ts";
import { ReasonedError } from "../errors.ts";
import type { Service } from "../lifecycle.ts";
import { listenError } from "../listen.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { type AdmissionLimits, CallAdmission } from "./call-admission.ts";
import type { CallScope } from "./call-scope.ts";
import { type HealthState, healthService } from "./health.ts";
import { MessageShapes } from "./message-shape.ts";
import { createNumberFaults } from "./number-faults.ts";
import { withoutReadAhead } from "./read-ahead.ts";
import { reflectionService } from "./reflection.ts";
import { type MessageLimits, maxMessageBytes, withDecoders } from "./request-decoder.ts";
import { type RequestLimits, RequestWatch } from "./request-watch.ts";
import { createServerMetrics } from "./server-metrics.ts";
import { createServerScopes, type MethodType, type ServerScopes } from "./server-scopes.ts";
import { UnreadWatch } from "./unread-watch.ts";

/** A generated service and what implements it; its handlers come from handler.ts. */
export interface ServedService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
  /** What the requests of a method may have in them, by its name. Default: the same for all. */
  limits?: Readonly<Record<string, MessageLimits>>;
}

export interface GrpcServerOptions {
  /** host:port; port 0 takes a free one. */
  listen: string;
  services: readonly ServedService[];
  /** Served as grpc.health.v1. The server adds its services' names; the application says when they serve. */
  health: HealthState;
  /** A FileDescriptorSet of all services, for grpc.reflection. */
  descriptors: Uint8Array;
  logger: Logger;
  metrics?: Metrics;
  /** When idle connections are pinged and given up. Default: after 60 s, and 20 s. */
  keepalive?: { timeMs: number; timeoutMs: number };
  /** How long a connection lives, ±10 %, so that clients find new servers. Default: for ever. */
  maxConnectionAgeMs?: number;
  /** How long a client may take nothing of what was sent to it, in milliseconds; then its call is cut. Default: 10,000. */
  unreadMs?: number;
  /** What requests may take on their way in. Default: 30,000 ms for each, 64 MiB for all, 4,000 silent calls. */
  requestLimits?: Partial<RequestLimits>;
  /** How many connections and calls may be open. Default: 4,000 connections, 1,250 from one address; 10,000 calls, 5,000 from one. */
  admissionLimits?: Partial<AdmissionLimits>;
  /** How long stop still takes calls after it told health watchers, in milliseconds. Default: 0. */
  drainDelayMs?: number;
  /** How long stop waits for running calls, in milliseconds. Default: 10,000. */
  graceMs?: number;
}

/** A gRPC server. */
export interface GrpcServer extends Service {
  /** The host:port that is really bound; throws before start. */
  readonly address: string;
}

/** The largest message that grpc-js hands over; a larger one it answers itself, without details. In bytes. */
const maxReadBytes = 4 * maxMessageBytes;
/** Workers have two streams each and some calls; a thousand of them may share the address of their network. */
const defaultAdmissionLimits: AdmissionLimits = {
  connections: { most: 4_000, mostOfAddress: 1_250 },
  calls: { most: 5_000, mostOfAddress: 2_500, reserve: 1_000 },
};
const defaultRequestLimits: RequestLimits = { completeMs: 30_000, bytes: 64 * 1024 * 1024, silentCalls: 4_000 };

/** Makes a gRPC server (plaintext) with health and reflection, metrics, an access log and a graceful end. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { listen, health, logger } = options;
  const metrics = options.metrics === undefined ? undefined : createServerMetrics(options.metrics);
  const scopes = createServerScopes(logger, metrics);
  logLibrary(logger);
  const server = new Server(channelOptions(options));
  const decoders = {
    numberFaults: createNumberFaults(options.descriptors),
    shapes: new MessageShapes(options.descriptors),
  };
  const services = [...options.services, ...standardServices(options)];
  for (const { definition, implementation, limits } of services) {
    server.addService(
      withDecoders(definition, { ...decoders, limits }),
      withScopes(definition, implementation, scopes),
    );
  }
  for (const { definition } of options.services) health.register(serviceName(definition));
  const unreadWatch = new UnreadWatch(options.unreadMs ?? 10_000);
  const requestWatch = new RequestWatch({ ...defaultRequestLimits, ...options.requestLimits });
  const limits = { ...defaultAdmissionLimits, ...options.admissionLimits };
  const watches = [unreadWatch, requestWatch];
  const admission = new CallAdmission({ limits, unaryPaths: unaryPathsOf(services), watches });
  let address: string | undefined;
  let stopping: Promise<void> | undefined;
  return {
    name: "grpc-server",
    get address() {
      if (address === undefined) throw new Error("the gRPC server has not been started");
      return address;
    },
    start: async () => {
      const port = await bind(server, listen);
      for (const http2Server of http2ServersOf(server)) admission.guard(http2Server);
      address = listen.replace(/:\d+$/, `:${port}`);
    },
    stop: (signal) => {
      unreadWatch.stop();
      requestWatch.stop();
      stopping ??= stopGracefully({ server, address, scopes, options, signal });
      return stopping;
    },
  };
}

/** Lets grpc-js write to the log what it would write to standard error as plain lines; errors are reported by their callers. */
function logLibrary(logger: Logger): void {
  const log = (...words: unknown[]) => logger.debug({ library: "grpc-js" }, words.join(" "));
  setLogger({ error: log, info: log, debug: log });
}

function channelOptions({ keepalive, maxConnectionAgeMs }: GrpcServerOptions): ServerOptions {
  const { timeMs, timeoutMs } = keepalive ?? { timeMs: 60_000, timeoutMs: 20_000 };
  return {
    "grpc.keepalive_time_ms": timeMs,
    "grpc.keepalive_timeout_ms": timeoutMs,
    "grpc.max_receive_message_length": maxReadBytes,
    "grpc.enable_channelz": 0,
    ...(maxConnectionAgeMs === undefined ? {} : { "grpc.max_connection_age_ms": maxConnectionAgeMs }),
  };
}

function standardServices({ services, health, descriptors }: GrpcServerOptions): ServedService[] {
  const standard = [HealthService, ServerReflectionService, ServerReflectionAlphaService];
  const names = [...services.map(({ definition }) => definition), ...standard].map(serviceName);
  const reflection = reflectionService(descriptors, names);
  return [
    { definition: HealthService, implementation: healthService(health) },
    { definition: ServerReflectionService, implementation: reflection },
    { definition: ServerReflectionAlphaService, implementation: reflection },
  ];
}

/** The full name of a service, e.g. drydock.job.v1.JobService. */
function serviceName(definition: ServiceDefinition): string {
  const path = Object.values(definition)[0]?.path ?? "";
  return path.split("/")[1] ?? "";
}

function unaryPathsOf(services: readonly ServedService[]): ReadonlySet<string> {
  const methods = services.flatMap(({ definition }) => Object.values(definition));
  const isUnary = ({ requestStream, responseStream }: (typeof methods)[number]) => !requestStream && !responseStream;
  return new Set(methods.filter(isUnary).map(({ path }) => path));
}

function withScopes(
  definition: ServiceDefinition,
  implementation: UntypedServiceImplementation,
  scopes: ServerScopes,
): UntypedServiceImplementation {
  const scoped: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(definition)) {
    const handler = implementation[name];
    if (handler === undefined) throw new Error(`${method.path} is not implemented`);
    const { requestStream, responseStream } = method;
    const scope = scopes.forMethod(method.path, methodType(requestStream, responseStream));
    scoped[name] = withScope(handler, scope, requestStream);
  }
  return scoped;
}

/** The handler with the scope as its last argument: (call, scope) or (call, callback, scope). */
function withScope(handler: UntypedHandleCall, scope: CallScope, isRequestStream: boolean): UntypedHandleCall {
  const scopedHandler = handler as (...args: unknown[]) => void;
  if (!isRequestStream) return (...args: unknown[]) => scopedHandler(...args, scope);
  return (call: Readable, ...args: unknown[]) => scopedHandler(withoutReadAhead(call), ...args, scope);
}

function methodType(requestStream: boolean, responseStream: boolean): MethodType {
  if (requestStream) return responseStream ? "bidi_stream" : "client_stream";
  return responseStream ? "server_stream" : "unary";
}

function bind(server: Server, listen: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(listenError(listen, "DRYDOCK_LISTEN", error));
    });
  });
}

/** What grpc-js listens with; there is one for each address that it has bound. */
function http2ServersOf(server: Server): Iterable<Http2Server> {
  const { http2Servers } = server as unknown as { http2Servers: ReadonlyMap<Http2Server, unknown> };
  return http2Servers.keys();
}

interface Stop {
  server: Server;
  address: string | undefined;
  scopes: ServerScopes;
  options: GrpcServerOptions;
  signal: AbortSignal | undefined;
}

/** How long a connection may still take when all its calls have been answered, in milliseconds. */
const lastFlushMs = 200;

/** Health NOT_SERVING, then the streams end, then the calls; when patience is over all are answered with UNAVAILABLE. */
async function stopGracefully({ server, address, scopes, options, signal }: Stop): Promise<void> {
  const { health, drainDelayMs = 0, graceMs = 10_000, logger } = options;
  const grace = AbortSignal.timeout(drainDelayMs + graceMs);
  const patience = signal === undefined ? grace : AbortSignal.any([grace, signal]);
  const error = new ReasonedError("SHUTTING_DOWN", "the server is shutting down; call again");
  health.shutdown();
  await sleep(drainDelayMs, patience).catch(() => {});
  scopes.endStreams(error);
  // Cuts the connections that are left in the end. forceShutdown knows no connections when channelz is off.
  if (address !== undefined) server.drain(address, (patience.aborted ? 0 : graceMs) + lastFlushMs);
  const ended = Promise.all([tryShutdown(server), scopes.idle()]);
  try {
    await abortable(ended, patience);
  } catch {
    logger.warn("calls did not end in time: cutting them");
    scopes.endAll(error);
    await Promise.race([ended, sleep(lastFlushMs * 2)]);
  }
}

function tryShutdown(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
  });
}
