import { backoffMs } from "@drydock/shared/backoff.ts";
import type { Hello } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { RpcError } from "@drydock/shared/grpc/client.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { Capacity, CheckIn, JobSource, JobSourceListener, Lease, RunResult } from "../ports/job-source.ts";
import type { ControllerLink } from "./link.ts";
import { toClosedType } from "./messages.ts";
import { type ConnectionEnd, WorkConnection } from "./work-connection.ts";

const backoff = { baseMs: 100, capMs: 5000 };
/** Codes that another try will hardly change: an operator has to look. */
const fatalCodes: readonly string[] = [
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "UNIMPLEMENTED",
  "FAILED_PRECONDITION",
  "INVALID_ARGUMENT",
];

/** Who the worker is, as Hello says it. */
export type Identity = Pick<Hello, "workerId" | "incarnation" | "version" | "jobTypes">;

export interface WorkStreamOptions {
  link: ControllerLink;
  identity: Identity;
  logger: Logger;
}

/** The Work stream as a JobSource: connects, sends Hello and Beat, and connects again when the stream breaks. */
export class WorkStream implements JobSource {
  readonly #options: WorkStreamOptions;
  #listener: JobSourceListener | undefined;
  #connection: WorkConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** The latest cause that is in the log, since the last welcome. */
  #loggedCause: string | undefined;
  #isStopped = false;

  constructor(options: WorkStreamOptions) {
    this.#options = options;
  }

  /** Whether the controller has welcomed the worker and the stream stands. */
  get isConnected(): boolean {
    return this.#connection?.isWelcome === true;
  }

  start(listener: JobSourceListener): void {
    if (this.#listener !== undefined) return;
    this.#listener = listener;
    this.#connect(listener);
  }

  accept(lease: Lease): void {
    if (this.isConnected) this.#connection?.outbox.accept(lease);
  }

  reject(lease: Lease, reason: string): void {
    if (this.isConnected) this.#connection?.outbox.send({ $case: "reject", value: { lease, reason } });
  }

  checkIn(lease: Lease, checkIn: CheckIn): void {
    if (this.isConnected) this.#connection?.outbox.checkIn(lease, checkIn);
  }

  capacity({ slots, closed }: Capacity): void {
    const value = { slots, closed: closed.map(toClosedType) };
    if (this.isConnected) this.#connection?.outbox.send({ $case: "capacity", value });
  }

  result(result: RunResult): void {
    if (this.isConnected) this.#connection?.outbox.result(result);
  }

  draining(): void {
    if (this.isConnected) this.#connection?.outbox.send({ $case: "draining", value: {} });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#connection?.close();
  }

  #connect(listener: JobSourceListener): void {
    const { link, identity, logger } = this.#options;
    const { slots, closed } = listener.capacity();
    this.#connection = new WorkConnection({
      client: link.client,
      hello: { ...identity, slots, closed: closed.map(toClosedType), held: listener.held() },
      listener,
      logger,
      onWelcome: () => {
        this.#failures = 0;
        this.#loggedCause = undefined;
        logger.info({ held: listener.held().length }, "connected to the controller");
      },
      onEnd: (end) => this.#onEnd(end, listener),
    });
  }

  #onEnd(end: ConnectionEnd, listener: JobSourceListener): void {
    this.#connection = undefined;
    if (this.#isStopped) return;
    if (end.error?.reason === "WORKER_SUPERSEDED") {
      this.#isStopped = true;
      this.#options.logger.error("a newer process has this worker's id: give each worker an id of its own");
      listener.onSuperseded();
      return;
    }
    if (end.isSilent || end.error?.code === "UNAVAILABLE") this.#options.link.renew();
    this.#timer = setTimeout(() => this.#connect(listener), this.#waitMs(end));
  }

  #waitMs(end: ConnectionEnd): number {
    if (end.reconnectAfterMs !== undefined) return end.reconnectAfterMs;
    this.#failures += 1;
    const isFatal = end.error !== undefined && fatalCodes.includes(end.error.code);
    const waitMs = isFatal ? backoff.capMs : backoffMs(backoff, this.#failures);
    const why = end.isSilent ? "no answer" : describe(end.error);
    const level = isFatal ? "error" : why === this.#loggedCause ? "debug" : "warn";
    this.#loggedCause = why;
    this.#options.logger[level]({ why, failures: this.#failures, wait_ms: waitMs }, textOf(end, isFatal));
    return waitMs;
  }
}

/** How grpc-js reports an answer that is not gRPC, or a service without Work. */
const notController =
  /\bProtocol error\b|\bHTTP status\b|without gRPC status|larger than max|does not implement|unknown (?:service|method)/i;

/** What an operator reads of the end of a stream, after which the worker connects again. */
function textOf({ error, isSilent }: ConnectionEnd, isFatal: boolean): string {
  if (isSilent) return "the controller does not answer; will connect again";
  if (error?.reason === undefined && notController.test(error?.message ?? "")) {
    return "what answers there is not a job-controller: correct DRYDOCK_CONTROLLER; will ask again";
  }
  if (isFatal) return "the controller refuses this worker; will ask again";
  if (error?.reason !== undefined) return "the controller cannot serve this worker now; will ask again";
  return "no connection to the controller that DRYDOCK_CONTROLLER names; will connect again";
}

function describe(error: RpcError | undefined): string {
  if (error === undefined) return "the stream ended";
  // grpc-js wraps the cause in the words of its policies, and adds the time
  const cause = error.message
    .replace(/^.*\bLast error: (?:Error: )?/, "")
    .replace(/(?: \(\d{4}-[^)]*\))?\.? Resolution note: .*$/, "");
  return `${error.reason ?? error.code}: ${cause}`;
}
