import { toError } from "@drydock/shared/errors.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { Redis } from "ioredis";
import type { JobCommand, Lease } from "../domain/job.ts";
import type { ControllerSignals } from "../ports/signals.ts";
import { commandOf } from "./record/job-codec.ts";
import { describeFault, explain } from "./redis-fault.ts";
import type { Shards } from "./shards/shards.ts";

/** How often the connection is pinged, in milliseconds: without messages a live connection looks like a dead one. */
const pingPeriodMs = 2_500;

const cannotListen = "cannot listen to the signals of the other controllers, and polls instead";

/** What the signals need. */
export interface RedisSignalsOptions {
  /** A connection of its own: Redis takes no other commands on one that has subscribed. */
  listener: Redis;
  shards: Shards;
  logger: Logger;
}

/** Listens to what the scripts publish: "ready NAME", "command WORKER JOB TOKEN CODE", "due TIME", "hook TIME", "types", "drain WORKER INCARNATION". */
export class RedisSignals implements ControllerSignals {
  readonly name = "redis-signals";
  readonly #redis: Redis;
  readonly #channels: string[];
  readonly #logger: Logger;
  #isListening = false;
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #listening: () => void = () => {};
  #ready: (jobName: string) => void = () => {};
  #command: (workerId: string, lease: Lease, command: JobCommand) => void = () => {};
  #types: () => void = () => {};
  #due: (at: number) => void = () => {};
  #hook: (at: number) => void = () => {};
  #drain: (workerId: string, incarnation: string) => void = () => {};

  constructor({ listener: redis, shards, logger }: RedisSignalsOptions) {
    this.#redis = redis;
    this.#logger = logger;
    this.#channels = Array.from(shards, ({ keys }) => keys.signals);
    redis.on("message", (_channel: string, message: string) => this.#receive(message));
    redis.on("error", () => {});
    redis.on("close", () => {
      this.#isListening = false;
    });
    redis.on("ready", () => this.#subscribe());
  }

  /** Why Redis lets nobody listen although it answers, with the remedy; undefined when it does. */
  get fault(): string | undefined {
    return this.#fault;
  }

  onListening(listener: () => void): void {
    this.#listening = listener;
  }

  onReady(listener: (jobName: string) => void): void {
    this.#ready = listener;
  }

  onCommand(listener: (workerId: string, lease: Lease, command: JobCommand) => void): void {
    this.#command = listener;
  }

  onTypes(listener: () => void): void {
    this.#types = listener;
  }

  onDue(listener: (at: number) => void): void {
    this.#due = listener;
  }

  onHook(listener: (at: number) => void): void {
    this.#hook = listener;
  }

  onDrain(listener: (workerId: string, incarnation: string) => void): void {
    this.#drain = listener;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => (this.#isListening ? this.#ping() : this.#subscribe()), pingPeriodMs);
    await this.#redis.connect().catch(() => {});
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#redis.disconnect();
  }

  /** Makes the connection anew. */
  reconnect(): void {
    if (this.#redis.status === "ready") this.#redis.disconnect(true);
  }

  /** The connection closes itself when nothing comes back, and is made anew. */
  #ping(): void {
    if (this.#redis.status === "ready") this.#redis.ping().catch(() => {});
  }

  #subscribe(): void {
    if (this.#redis.status !== "ready") return;
    this.#redis.subscribe(...this.#channels).then(
      () => {
        this.#isListening = true;
        this.#fault = undefined;
        this.#listening();
      },
      (error: unknown) => this.#refused(toError(error)),
    );
  }

  /** The connection watch reports closed connections. */
  #refused(error: Error): void {
    const fault = explain(error, this.#redis.options.password);
    if (fault.isConsequence) return;
    const { meaning, words, remedy } = fault;
    const text = `${cannotListen}: ${describeFault(fault)}`;
    if (text !== this.#fault) this.#logger.warn({ meaning, cause: words, remedy }, cannotListen);
    this.#fault = text;
  }

  #receive(message: string): void {
    const [kind, first = "", jobId = "", token = "", code = ""] = message.split(" ");
    const command = commandOf(Number(code));
    if (kind === "ready") this.#ready(first);
    else if (kind === "types") this.#types();
    else if (kind === "due") this.#due(Number(first));
    else if (kind === "hook") this.#hook(Number(first));
    else if (kind === "drain") this.#drain(first, jobId);
    else if (kind === "command" && command !== undefined)
      this.#command(first, { jobId, token: Number(token) }, command);
  }
}
