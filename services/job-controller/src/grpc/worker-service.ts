import { randomUUID } from "node:crypto";
import { BoundedLog } from "@drydock/shared/bounded-log.ts";
import type { ByteBudget, ByteHold } from "@drydock/shared/byte-budget.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { WorkerMessage } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { BidiCall } from "@drydock/shared/grpc/bidi-call.ts";
import { bidiStream, clientStream, serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import { isPoolAway } from "../domain/pool-away.ts";
import { type LeaseRelease, releaseAtEnd, StreamStateMachine } from "../domain/stream-state.ts";
import type { Registration } from "../usecases/job-types.ts";
import type { RecentCapacities } from "../usecases/recent-capacities.ts";
import type { WorkerChannel } from "../usecases/worker-channel.ts";
import { WorkerSession } from "../usecases/worker-session.ts";
import { toLease } from "./convert.ts";
import { countSubJobReports, findImages, type KnownImagesDeps, readReport, recordImages } from "./known-images.ts";
import { type LayerLockDeps, lockLayer, unlockLayer } from "./layer-locks.ts";
import { receiveLogs } from "./log-receiver.ts";
import type { MessageMemory } from "./message-memory.ts";
import { putReport, type ReportUploadDeps } from "./report-upload.ts";
import { getRunState, saveCheckpoint } from "./run-states.ts";
import { launchSubJob, launchSubJobs, type SubJobCallDeps } from "./sub-job-launches.ts";
import { protocolViolation, validateHello } from "./validate.ts";
import { createWorkerChannel } from "./worker-channel.ts";
import { createInboxTurns, WorkerInbox } from "./worker-inbox.ts";
import { handle } from "./worker-messages.ts";
import { WorkerOutbox } from "./worker-outbox.ts";

const helloWithinMs = 10_000;

/** What the worker service needs. */
export interface WorkerServiceDeps extends SubJobCallDeps, ReportUploadDeps, KnownImagesDeps, LayerLockDeps {
  clock: Clock;
  terms: LeaseTerms;
  capacities: RecentCapacities;
  logPieces: ByteBudget;
  messageMemory: MessageMemory;
  logger: Logger;
  /** Called when a worker gave a job of the type back that it was sent. */
  onReject(jobName: string): void;
}

/** What the streams need. */
interface StreamDeps extends WorkerServiceDeps {
  log: BoundedLog;
}

type LogCall = BidiCall<message.StreamLogsRequest, message.StreamLogsResponse>;
type WorkCall = BidiCall<message.WorkRequest, message.WorkResponse>;

/** drydock.worker.v1.WorkerService. */
export function createWorkerService(deps: WorkerServiceDeps): UntypedServiceImplementation {
  const turns = createInboxTurns();
  const own = { ...deps, log: new BoundedLog(deps.logger, deps.clock) };
  return {
    work: bidiStream((call: WorkCall) => work(own, call, new WorkerInbox(turns))),
    streamLogs: bidiStream((call: LogCall) => receiveLogs(deps, call)),
    putReport: clientStream((parts: AsyncIterable<message.PutReportRequest>, call) =>
      putReport(deps, parts, call.signal),
    ),
    launchSubJob: unary((request: message.LaunchSubJobRequest, call) => launchSubJob(deps, request, call)),
    getRunState: unary((request: message.GetRunStateRequest, call) => getRunState(deps, request, call)),
    saveCheckpoint: unary((request: message.SaveCheckpointRequest) => saveCheckpoint(deps, request)),
    recordImages: unary((request: message.RecordImagesRequest, call) => recordImages(deps, request, call)),
    countSubJobReports: unary((request: message.CountSubJobReportsRequest, call) =>
      countSubJobReports(deps, request, call),
    ),
    readReport: serverStream((request: message.ReadReportRequest, call) => readReport(deps, request, call)),
    findImages: unary((request: message.FindImagesRequest, call) => findImages(deps, request, call)),
    lockLayer: unary((request: message.LockLayerRequest) => lockLayer(deps, request)),
    unlockLayer: unary((request: message.UnlockLayerRequest) => unlockLayer(deps, request)),
    launchSubJobs: unary((request: message.LaunchSubJobsRequest, call) => launchSubJobs(deps, request, call)),
  };
}

/** One worker's control stream, from its Hello to its end. */
async function work(deps: StreamDeps, call: WorkCall, inbox: WorkerInbox): Promise<void> {
  const stream = new StreamStateMachine();
  const over = Promise.withResolvers<never>();
  const greeting = Promise.withResolvers<Greeting>();
  const opening = greeting.promise.then((greeting) => openSession(deps, greeting));
  over.promise.catch(() => {});
  opening.catch(over.reject);
  const timer = setTimeout(() => greeting.reject(protocolViolation("no Hello came")), helloWithinMs);
  const outbox = new WorkerOutbox({
    send: (response, taken) => call.send(response, taken),
    onRoom: () => deps.dispatcher.ask(),
    onOverflow: over.reject,
  });
  const channel = createWorkerChannel(outbox, over.reject, deps);
  const handleIn = (session: WorkerSession) => (message: WorkerMessage) =>
    handle(session, message, deps.clock.now()).catch((error: unknown) => {
      onFault(deps, error, over.reject);
      return !isPoolAway(error);
    });
  // without a session the stream ends with the error of its opening
  opening.then(
    (session) => inbox.open(handleIn(session)),
    () => {},
  );
  const receive = (messages: WorkerMessage[], hold?: ByteHold): Promise<void> | undefined => {
    const [first, ...rest] = messages;
    if (first !== undefined && stream.rules.messages === "expected to be a Hello") {
      clearTimeout(timer);
      stream.apply("first message");
      greeting.resolve(createSession(deps, stream, channel, first));
      inbox.take(rest, hold);
    } else inbox.take(messages, hold);
    return inbox.empty;
  };
  const ended = call.onMessage((request) => {
    const room = deps.messageMemory.roomFor(request, call.signal);
    return room === undefined
      ? receive(request.messages)
      : room.then((hold) => receive(request.messages, hold)).catch(over.reject);
  });
  try {
    const session = await Promise.race([opening, ended.then(() => undefined)]);
    if (session !== undefined) deps.dispatcher.add(session);
    await Promise.race([ended, over.promise]);
  } finally {
    clearTimeout(timer);
    inbox.close();
    greeting.reject(new Error("the stream is over"));
    // the Hello may be stored by now, and Draining may be kept behind it: both decide about the lease
    await opening.then(
      ({ identity }) => deps.log.info({ workerId: identity.workerId }, "a worker's stream is over"),
      () => {},
    );
    const release = releaseAtEnd(stream.state, isShutdown(call.signal));
    stream.apply("end");
    const session = await greeting.promise.then(({ session }) => session).catch(() => undefined);
    if (session !== undefined) await closeSession(deps, session, release);
  }
}

/** What a Hello leads to, if it breaks no rule. */
interface Greeting {
  session: WorkerSession;
  hello: message.Hello;
  registerTypes(): Promise<Registration>;
}

async function createSession(
  deps: WorkerServiceDeps,
  stream: StreamStateMachine,
  channel: WorkerChannel,
  { message: first }: WorkerMessage,
): Promise<Greeting> {
  if (first?.$case !== "hello") throw protocolViolation("the first message of a stream must be a Hello");
  const { workerId, incarnation, version, capacity, types } = validateHello(first.value, deps.clock.now());
  const identity = { workerId, incarnation, session: randomUUID() };
  const { dispatcher } = deps;
  const calls = { onFree: () => dispatcher.ask(), onOpen: (name: string) => dispatcher.wake(name) };
  const session = new WorkerSession({ ...deps, ...calls }, stream, channel, {
    identity,
    version,
    types,
    capacity,
    held: first.value.held.map(toLease),
  });
  return { session, hello: first.value, registerTypes: () => deps.types.register(types, version) };
}

async function openSession({ log }: StreamDeps, { session, hello, registerTypes }: Greeting): Promise<WorkerSession> {
  const { workerId, version, slots, held } = hello;
  await session.open(async () => {
    const { replaced, keptBack } = await registerTypes();
    if (replaced.length > 0)
      log.warn({ workerId, version, jobs: replaced }, "a worker replaced the rules of job types");
    if (keptBack.length > 0) {
      const text = "job types keep the rules of another version until its workers are gone; this worker's come then";
      log.warn({ workerId, version, jobs: keptBack }, text);
    }
  });
  log.info({ workerId, version, slots, held: held.length }, "a worker has joined");
  return session;
}

async function closeSession(
  { dispatcher, logger }: WorkerServiceDeps,
  session: WorkerSession,
  release: LeaseRelease,
): Promise<void> {
  dispatcher.remove(session);
  await session.close(release).catch((error: unknown) => {
    logger.debug({ err: error }, "the lease could not be cut; it runs out by itself");
  });
}

function isShutdown({ reason }: AbortSignal): boolean {
  return reason instanceof ReasonedError && reason.reason === "SHUTTING_DOWN";
}

/** Late messages are ignored; a protocol violation ends the stream. */
function onFault({ logger, log }: StreamDeps, thrown: unknown, end: (error: Error) => void): void {
  const error = toError(thrown);
  const reason = error instanceof ReasonedError ? error.reason : "INTERNAL";
  if (reason === "PROTOCOL_VIOLATION" || reason === "FIELD_INVALID") end(error);
  else if (reason === "INTERNAL") log.error({ err: error }, "a worker's message could not be handled");
  else logger.debug({ reason }, "a worker's message was not taken");
}
