import { once } from "node:events";
import type {
  Assign,
  ControllerMessage,
  FindImagesRequest,
  FindImagesResponse,
  GetRunStateRequest,
  LaunchSubJobRequest,
  LaunchSubJobResponse,
  LaunchSubJobsRequest,
  LaunchSubJobsResponse,
  LockLayerRequest,
  LockLayerResponse,
  PutReportRequest,
  PutReportResponse,
  ReadReportRequest,
  ReadReportResponse,
  RecordImagesRequest,
  RecordImagesResponse,
  SaveCheckpointRequest,
  SaveCheckpointResponse,
  StreamLogsRequest,
  StreamLogsResponse,
  UnlockLayerRequest,
  UnlockLayerResponse,
  Welcome,
  WorkerMessage,
  WorkRequest,
  WorkResponse,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { GetRunStateResponse, WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";

type SentMessage = NonNullable<WorkerMessage["message"]>;
type ValueOf<C extends SentMessage["$case"]> = Extract<SentMessage, { $case: C }>["value"];
type Reply = NonNullable<ControllerMessage["message"]>;

/** A queue of what was received, in its order. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiters = new Set<() => void>();
  #taken = 0;

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#waiters) wake();
  }

  /** The next item that fits; those before it are passed over. */
  async next(fits: (item: T) => boolean = () => true): Promise<T> {
    for (;;) {
      while (this.#taken < this.all.length) {
        const item = this.all[this.#taken] as T;
        this.#taken += 1;
        if (fits(item)) return item;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.add(resolve);
      await promise;
      this.#waiters.delete(resolve);
    }
  }
}

/** One Work stream of a worker, seen from the controller. */
export class WorkPeer {
  readonly received = new Inbox<SentMessage>();
  readonly ended: Promise<unknown>;
  readonly #call: ServerDuplexStream<WorkRequest, WorkResponse>;

  constructor(call: ServerDuplexStream<WorkRequest, WorkResponse>) {
    this.#call = call;
    this.ended = new Promise((resolve) => {
      call.on("end", resolve);
      call.on("cancelled", resolve);
    });
    call.on("data", ({ messages }) => {
      for (const { message } of messages) if (message !== undefined) this.received.push(message);
    });
    call.on("error", () => {});
    call.on("end", () => call.end());
  }

  /** The next message of this kind. */
  async next<C extends SentMessage["$case"]>(kind: C): Promise<ValueOf<C>> {
    const { value } = await this.received.next((message) => message.$case === kind);
    return value as ValueOf<C>;
  }

  send(message: Reply): void {
    this.#call.write({ messages: [{ message }] });
  }

  async welcome(terms: Partial<Welcome> & { beatMs?: number; graceMs?: number } = {}) {
    const hello = await this.next("hello");
    const { beatMs = 5000, graceMs = 10_000, keep = [], drop = [] } = terms;
    const lease = { seconds: 15, nanos: 0 };
    const value = { lease, beatPeriod: toDuration(beatMs), grace: toDuration(graceMs), keep, drop };
    this.send({ $case: "welcome", value });
    return hello;
  }

  assign(assign: Partial<Assign> & Pick<Assign, "name" | "lease">): void {
    const rest = { parametersJson: "{}", attempt: 1, runTimeout: undefined, logOffset: 0, traceContext: "" };
    this.send({ $case: "assign", value: { ...rest, ...assign } });
  }

  end(): void {
    this.#call.end();
  }

  fail(error: object): void {
    this.#call.emit("error", error);
  }
}

type LogCall = ServerDuplexStream<StreamLogsRequest, StreamLogsResponse>;
type PutReport = (parts: PutReportRequest[]) => Promise<PutReportResponse>;
type Answer<Req, Res> = (request: Req) => Promise<Res>;

/** A controller that does what a test tells it to. */
export class ScriptedController {
  readonly works = new Inbox<WorkPeer>();
  readonly logStreams = new Inbox<LogCall>();
  readonly logs = new Inbox<StreamLogsRequest>();
  putReport: PutReport = async () => ({});
  launchSubJob: Answer<LaunchSubJobRequest, LaunchSubJobResponse> = async () => ({ stats: undefined });
  launchSubJobs: Answer<LaunchSubJobsRequest, LaunchSubJobsResponse> = async () => ({ results: [] });
  getRunState: Answer<GetRunStateRequest, GetRunStateResponse> = async () => GetRunStateResponse.fromPartial({});
  saveCheckpoint: Answer<SaveCheckpointRequest, SaveCheckpointResponse> = async () => ({});
  recordImages: Answer<RecordImagesRequest, RecordImagesResponse> = async () => ({ images: [] });
  readReport: (request: ReadReportRequest) => AsyncIterable<ReadReportResponse> = async function* () {};
  findImages: Answer<FindImagesRequest, FindImagesResponse> = async () => ({ images: [], nextPageToken: "" });
  lockLayer: Answer<LockLayerRequest, LockLayerResponse> = async () => ({ isLocked: true });
  unlockLayer: Answer<UnlockLayerRequest, UnlockLayerResponse> = async () => ({});
  readonly #server = new Server();
  #port = 0;

  async start(): Promise<void> {
    this.#server.addService(WorkerServiceService, {
      work: (call: ServerDuplexStream<WorkRequest, WorkResponse>) => this.works.push(new WorkPeer(call)),
      streamLogs: (call: LogCall) => {
        call.on("data", (piece) => this.logs.push(piece));
        call.on("error", () => {});
        call.on("end", () => call.end());
        this.logStreams.push(call);
      },
      putReport: async (
        call: ServerReadableStream<PutReportRequest, PutReportResponse>,
        callback: sendUnaryData<PutReportResponse>,
      ) => {
        const parts: PutReportRequest[] = [];
        call.on("data", (part) => parts.push(part));
        await once(call, "end");
        this.putReport(parts).then((response) => callback(null, response), callback);
      },
      launchSubJob: answering((request: LaunchSubJobRequest) => this.launchSubJob(request)),
      launchSubJobs: answering((request: LaunchSubJobsRequest) => this.launchSubJobs(request)),
      getRunState: answering((request: GetRunStateRequest) => this.getRunState(request)),
      saveCheckpoint: answering((request: SaveCheckpointRequest) => this.saveCheckpoint(request)),
      recordImages: answering((request: RecordImagesRequest) => this.recordImages(request)),
      findImages: answering((request: FindImagesRequest) => this.findImages(request)),
      lockLayer: answering((request: LockLayerRequest) => this.lockLayer(request)),
      unlockLayer: answering((request: UnlockLayerRequest) => this.unlockLayer(request)),
      readReport: async (call: ServerWritableStream<ReadReportRequest, ReadReportResponse>) => {
        try {
          for await (const part of this.readReport(call.request)) call.write(part);
          call.end();
        } catch (error) {
          call.emit("error", error);
        }
      },
    });
    const credentials = ServerCredentials.createInsecure();
    this.#port = await new Promise((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  }

  get target(): string {
    return `127.0.0.1:${this.#port}`;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

function answering<Req, Res>(answer: Answer<Req, Res>) {
  return ({ request }: ServerUnaryCall<Req, Res>, callback: sendUnaryData<Res>): void => {
    answer(request).then((response) => callback(null, response), callback);
  };
}

function toDuration(ms: number) {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
}
