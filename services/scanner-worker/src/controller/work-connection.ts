import type { Hello, Welcome, WorkerServiceClient } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { type RpcError, toRpcError } from "@drydock/shared/grpc/client.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { Assignment, JobSourceListener, Lease } from "../ports/job-source.ts";
import { type ControllerMessage, fromAssign, fromCommand, fromDuration, type WorkerMessage } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { StandstillWatch } from "./standstill-watch.ts";

/** How long a controller may take to answer Hello, in milliseconds. */
const welcomeMs = 10_000;
/** How long a controller may take to end a stream that we ended, in milliseconds. */
const closeMs = 1000;
/** Beats without an answer after which the stream counts as dead. */
const silentBeats = 2;
const defaultBeatMs = 5000;
const defaultGraceMs = 10_000;

/** How a connection ended. */
export interface ConnectionEnd {
  /** The controller's error; undefined when the stream ended well. */
  error?: RpcError;
  /** The controller asked us to come back after that many milliseconds. */
  reconnectAfterMs?: number;
  /** The controller did not answer: the connection may be half open. */
  isSilent?: boolean;
}

export interface WorkConnectionOptions {
  client: WorkerServiceClient;
  hello: Hello;
  listener: JobSourceListener;
  logger: Logger;
  onWelcome(): void;
  /** Called exactly once, also after close. */
  onEnd(end: ConnectionEnd): void;
}

/** One Work stream, from Hello to its end. */
export class WorkConnection {
  readonly outbox: Outbox;
  readonly #options: WorkConnectionOptions;
  readonly #call: ReturnType<WorkerServiceClient["work"]>;
  readonly #ended = Promise.withResolvers<void>();
  /** How the stream ends, once this side ends it; nothing is received or sent from then on. */
  #plan: ConnectionEnd | undefined;
  #isWelcome = false;
  #isOver = false;
  #sentBeat = 0;
  #acknowledgedBeat = 0;
  readonly #standstill = new StandstillWatch((ms) => this.#onStandstill(ms));
  /** The beat whose answer says which jobs are still the worker's after a standstill. */
  #question: number | undefined;
  /** Assignments read since the standstill: they may be older, and another worker's by now. */
  #unconfirmed: Assignment[] = [];
  /** How many of the unconfirmed assignments, the first ones, that beat names. */
  #askedCount = 0;
  #welcomeTimer: NodeJS.Timeout | undefined;
  #beatTimer: NodeJS.Timeout | undefined;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(options: WorkConnectionOptions) {
    this.#options = options;
    this.#call = options.client.work();
    this.outbox = new Outbox(this.#call);
    this.#call.on("data", ({ messages }) => {
      if (!this.#isOver && this.#plan === undefined) this.#standstill.look();
      for (const { message } of messages) {
        if (message !== undefined && !this.#isOver && this.#plan === undefined) this.#receive(message);
      }
    });
    this.#call.on("error", (error) => this.#end(this.#plan ?? { error: toRpcError(error) }));
    this.#call.on("status", () => this.#end(this.#plan ?? {}));
    this.#call.write({ messages: [{ message: { $case: "hello", value: options.hello } }] });
    this.#welcomeTimer = setTimeout(() => this.#end({ isSilent: true }), welcomeMs);
  }

  /** Whether the controller has answered Hello and the stream still stands. */
  get isWelcome(): boolean {
    return this.#isWelcome && !this.#isOver && this.#plan === undefined;
  }

  /** Sends what waits and ends the stream. */
  async close(): Promise<void> {
    this.#endByPlan({});
    await this.#ended.promise;
  }

  #endByPlan(plan: ConnectionEnd): void {
    if (this.#isOver || this.#plan !== undefined) return;
    this.outbox.flush();
    this.#plan = plan;
    this.#call.end();
    this.#standstill.stop();
    clearInterval(this.#beatTimer);
    this.#closeTimer = setTimeout(() => this.#end(plan), closeMs);
  }

  #end(end: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#welcomeTimer);
    clearTimeout(this.#closeTimer);
    this.#standstill.stop();
    clearInterval(this.#beatTimer);
    this.#call.cancel();
    this.#ended.resolve();
    this.#options.onEnd(end);
  }

  #receive(message: ControllerMessage): void {
    if (message.$case === "welcome") this.#onWelcome(message.value);
    else if (this.#isWelcome) this.#receiveMore(message);
  }

  #receiveMore(message: Exclude<ControllerMessage, { $case: "welcome" }>): void {
    const { listener } = this.#options;
    switch (message.$case) {
      case "assign": {
        const assignment = fromAssign(message.value);
        if (assignment === undefined) return;
        if (this.#question === undefined) listener.onAssign(assignment);
        else this.#unconfirmed.push(assignment);
        return;
      }
      case "resultAck":
        if (message.value.lease !== undefined) listener.onAcknowledged(message.value.lease);
        return;
      case "beatAck":
        this.#acknowledgedBeat = Math.max(this.#acknowledgedBeat, message.value.sequence);
        listener.onLost(message.value.lost);
        if (this.#question !== undefined && message.value.sequence >= this.#question) this.#resume(message.value.lost);
        for (const command of message.value.commands) this.#onCommand(command.lease, command.command);
        return;
      case "command":
        this.#onCommand(message.value.lease, message.value.command);
        return;
      case "drain":
        listener.onDrain();
        return;
      case "reconnect":
        this.#endByPlan({ reconnectAfterMs: fromDuration(message.value.after, 0) });
        return;
    }
  }

  #onWelcome({ beatPeriod, grace, drop }: Welcome): void {
    if (this.#isWelcome) return;
    this.#isWelcome = true;
    clearTimeout(this.#welcomeTimer);
    this.#beatTimer = setInterval(() => this.#beat(), fromDuration(beatPeriod, defaultBeatMs));
    this.#options.onWelcome();
    this.#options.listener.onWelcome({ graceMs: fromDuration(grace, defaultGraceMs), drop });
  }

  /**
   * The jobs may be other workers' by now. The worker asks the controller first: its messages, and the jobs that were
   * assigned to it, wait for the answer.
   */
  #onStandstill(ms: number): void {
    if (!this.isWelcome) return;
    this.#options.logger.warn({ ms }, "the process stood still; asking which jobs are still this worker's");
    // answers to earlier beats may wait to be read
    this.#acknowledgedBeat = this.#sentBeat;
    this.#beatTimer?.refresh();
    this.#ask();
  }

  #ask(): void {
    this.#question = this.#sentBeat + 1;
    this.#askedCount = this.#unconfirmed.length;
    this.outbox.ask(this.#nextBeat());
  }

  /** Begins the jobs that the answer confirms. Asks again about assignments that were read after the question. */
  #resume(lost: readonly Lease[]): void {
    const isLost = ({ lease }: Assignment) =>
      lost.some(({ jobId, token }) => jobId === lease.jobId && token === lease.token);
    const asked = this.#unconfirmed.splice(0, this.#askedCount);
    this.#question = undefined;
    for (const assignment of asked) if (!isLost(assignment)) this.#options.listener.onAssign(assignment);
    if (this.#unconfirmed.length === 0) {
      this.outbox.resume();
      return;
    }
    this.outbox.flush();
    this.#ask();
  }

  #nextBeat(): WorkerMessage {
    this.#sentBeat += 1;
    const held = [...this.#options.listener.held(), ...this.#unconfirmed.map(({ lease }) => lease)];
    return { $case: "beat", value: { sequence: this.#sentBeat, held } };
  }

  #beat(): void {
    this.#standstill.look();
    if (this.#sentBeat - this.#acknowledgedBeat >= silentBeats) {
      this.#end({ isSilent: true });
      return;
    }
    this.outbox.send(this.#nextBeat());
  }

  #onCommand(lease: Lease | undefined, asked: Parameters<typeof fromCommand>[0]): void {
    const command = fromCommand(asked);
    if (lease !== undefined && command !== undefined) this.#options.listener.onCommand(lease, command);
  }
}
