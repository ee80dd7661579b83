import { randomUUID } from "node:crypto";
import {
  type Assign,
  type ControllerMessage,
  type Hello,
  type JobType,
  type Lease,
  Outcome,
  type Result,
  type WorkerMessage,
  WorkerServiceClient,
  type WorkResponse,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createChannelOptions, type RpcError, toRpcError } from "@drydock/shared/grpc/client.ts";
import { credentials } from "@grpc/grpc-js";
import type { Patience } from "./until.ts";

type SentMessage = NonNullable<WorkerMessage["message"]>;
type ReceivedMessage = NonNullable<ControllerMessage["message"]>;
type ReceivedCase = ReceivedMessage["$case"];
type ReceivedValue<C extends ReceivedCase> = Extract<ReceivedMessage, { $case: C }>["value"];

interface Waiter {
  $case: ReceivedCase;
  take(message: ReceivedMessage): void;
}

/** The value of a message whose case was looked at. */
function contentOf<C extends ReceivedCase>(message: ReceivedMessage): ReceivedValue<C> {
  return message.value as ReceivedValue<C>;
}

/** A job type that takes any parameters. */
export function plainType(name: string): JobType {
  return {
    name,
    description: "for tests",
    parametersSchema: "{}",
    maxFails: 3,
    maxRunning: 0,
    maxKeyPercent: 0,
    isSingleton: false,
  };
}

/** A worker that does nothing by itself, unless it is told to beat: a test sends every message of its control stream. */
export class ScriptedWorker {
  readonly client: WorkerServiceClient;
  readonly hello: Hello;
  /** Resolves when the stream is over, with the error that the controller ended it with. */
  readonly ended: Promise<RpcError | undefined>;
  readonly #call: ReturnType<WorkerServiceClient["work"]>;
  readonly #unread: ReceivedMessage[] = [];
  readonly #waiters = new Set<Waiter>();
  /** What it was assigned and has sent no result of, by job. */
  readonly #held = new Map<string, Lease>();
  #beating: NodeJS.Timeout | undefined;

  /** Opens the stream and sends nothing yet. */
  constructor(address: string, hello: Partial<Hello> = {}) {
    this.client = new WorkerServiceClient(address, credentials.createInsecure(), {
      ...createChannelOptions(),
      "grpc.use_local_subchannel_pool": 1,
    });
    const workerId = `w-${randomUUID()}`;
    const rest = { version: "1.0.0", jobTypes: [], slots: 1, held: [], closed: [] };
    this.hello = { workerId, incarnation: randomUUID(), ...rest, ...hello };
    this.#call = this.client.work();
    this.#call.on("data", ({ messages }: WorkResponse) => {
      for (const { message } of messages) if (message !== undefined) this.#receive(message);
    });
    const { promise, resolve } = Promise.withResolvers<RpcError | undefined>();
    this.#call.on("error", (error) => resolve(toRpcError(error)));
    this.#call.on("status", ({ code }: { code: number }) => code === 0 && resolve(undefined));
    this.ended = promise;
  }

  /** Opens the stream and waits until the controller has welcomed the worker. */
  static async join(address: string, hello: Partial<Hello> = {}): Promise<ScriptedWorker> {
    const worker = new ScriptedWorker(address, hello);
    worker.send({ $case: "hello", value: worker.hello });
    const refused = worker.ended.then((error) => {
      throw error ?? new Error("the stream ended before its Welcome");
    });
    await Promise.race([worker.receive("welcome"), refused]);
    refused.catch(() => {});
    return worker;
  }

  /** Sends these messages, all in one WorkRequest. */
  send(...messages: SentMessage[]): void {
    this.#call.write({ messages: messages.map((message) => ({ message })) });
  }

  /** The next message of this kind: received and not read yet, or to come. */
  async receive<C extends ReceivedCase>($case: C, { withinMs = 10_000 }: Patience = {}): Promise<ReceivedValue<C>> {
    const at = this.#unread.findIndex((message) => message.$case === $case);
    const known = at < 0 ? undefined : this.#unread.splice(at, 1)[0];
    if (known !== undefined) return contentOf(known);
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedMessage>();
    const waiter: Waiter = { $case, take: resolve };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => reject(new Error(`received no ${$case} within ${withinMs} ms`)), withinMs);
    try {
      return contentOf(await promise);
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** Whether something of this kind was received and not read. */
  hasReceived($case: ReceivedCase): boolean {
    return this.#unread.some((message) => message.$case === $case);
  }

  /** Waits for a job and accepts it. */
  async takeJob(patience?: Patience): Promise<Assign & { lease: Lease }> {
    const assign = await this.receive("assign", patience);
    const { lease } = assign;
    if (lease === undefined) throw new Error("an Assign without a lease");
    this.send({ $case: "accept", value: { lease } });
    return { ...assign, lease };
  }

  /** Beats each second from now on, so that it keeps what it holds however long the work of a test takes on a busy machine. */
  beatByItself(): this {
    let sequence = 0;
    const beat = () => this.send({ $case: "beat", value: { sequence: ++sequence, held: [...this.#held.values()] } });
    this.#beating = setInterval(beat, 1_000);
    void this.ended.finally(() => clearInterval(this.#beating));
    return this;
  }

  /** Beats and waits for the answer. */
  async beats(sequence: number, held: Lease[]) {
    this.send({ $case: "beat", value: { sequence, held } });
    return this.receive("beatAck");
  }

  /** Reports a result, success by default, and waits for the verdict. */
  async reports(lease: Lease, result: Partial<Result> = {}) {
    this.sendResult(lease, result);
    return (await this.receive("resultAck")).verdict;
  }

  /** Reports a result, success by default. */
  sendResult(lease: Lease, result: Partial<Result> = {}): void {
    const nothing = { reason: "", message: "", retryable: false, retryAfter: undefined, checkIn: "" };
    const value = {
      ...nothing,
      progress: undefined,
      patience: undefined,
      outcome: Outcome.OUTCOME_SUCCESS,
      ...result,
      lease,
    };
    this.#held.delete(lease.jobId);
    this.send({ $case: "result", value });
  }

  /** Ends the stream by plan. */
  async leave(): Promise<void> {
    clearInterval(this.#beating);
    this.#call.end();
    await this.ended;
    this.client.close();
  }

  /** Breaks the stream off, as a lost connection does. Safe to call twice. */
  async breakOff(): Promise<void> {
    clearInterval(this.#beating);
    this.#call.cancel();
    await this.ended;
    this.client.close();
  }

  #receive(message: ReceivedMessage): void {
    if (message.$case === "assign" && message.value.lease !== undefined) {
      this.#held.set(message.value.lease.jobId, message.value.lease);
    }
    const waiter = [...this.#waiters].find(({ $case }) => $case === message.$case);
    if (waiter === undefined) {
      this.#unread.push(message);
      return;
    }
    this.#waiters.delete(waiter);
    waiter.take(message);
  }
}
