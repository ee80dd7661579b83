import { backoffMs } from "@drydock/shared/backoff.ts";
import type { StreamLogsResponse, WorkerServiceClient } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { toRpcError } from "@drydock/shared/grpc/client.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobLog, JobLogs } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ControllerLink } from "./link.ts";
import { LogBuffer } from "./log-buffer.ts";

/** Size in bytes, and age in milliseconds, at which a piece is sent. */
const pieceBytes = 32 * 1024;
const pieceAgeMs = 200;
/** How much text of all runs is kept until it is stored, in bytes. */
const maxKeptBytes = 1024 * 1024;
const closeMs = 1000;
const backoff = { baseMs: 100, capMs: 5000 };

type LogCall = ReturnType<WorkerServiceClient["streamLogs"]>;

/** What a run's log needs of the stream that all logs share. */
interface LogHost {
  onWrite(log: RunLogBuffer): void;
  onFlush(log: RunLogBuffer): void;
  onClose(log: RunLogBuffer): void;
}

/** The log of one run. */
class RunLogBuffer implements JobLog {
  readonly lease: Lease;
  readonly buffer: LogBuffer;
  readonly #host: LogHost;
  readonly #flushes = new Set<(stored: boolean) => void>();
  #isClosed = false;

  constructor(lease: Lease, offset: number, host: LogHost) {
    this.lease = lease;
    this.buffer = new LogBuffer(offset);
    this.#host = host;
  }

  write(lines: string): void {
    if (this.#isClosed) return;
    this.buffer.push(lines);
    this.#host.onWrite(this);
  }

  async flush(timeoutMs: number): Promise<boolean> {
    if (this.buffer.isEmpty) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    this.#flushes.add(resolve);
    this.#host.onFlush(this);
    const stored = await promise;
    clearTimeout(timer);
    this.#flushes.delete(resolve);
    return stored;
  }

  close(): void {
    this.#isClosed = true;
    if (this.buffer.isEmpty) this.abandon();
  }

  /** Forgets what is not stored. */
  abandon(): void {
    this.#isClosed = true;
    this.buffer.clear();
    this.#settle();
    this.#host.onClose(this);
  }

  onStored(length: number): void {
    this.buffer.acknowledge(length);
    if (!this.buffer.isEmpty) return;
    this.#settle();
    if (this.#isClosed) this.#host.onClose(this);
  }

  #settle(): void {
    for (const resolve of this.#flushes) resolve(true);
  }
}

export interface LogStreamOptions {
  link: ControllerLink;
  /** The process that holds the jobs. */
  incarnation: string;
  logger: Logger;
}

/** The StreamLogs stream as JobLogs: opened with the first line, opened again when it breaks, with what was not stored. */
export class LogStream implements JobLogs {
  readonly #options: LogStreamOptions;
  readonly #logs = new Map<string, RunLogBuffer>();
  readonly #host: LogHost;
  readonly #offRenew: () => void;
  #call: LogCall | undefined;
  #ageTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isStopped = false;

  constructor(options: LogStreamOptions) {
    this.#options = options;
    this.#offRenew = options.link.onRenew(() => this.#call?.cancel());
    this.#host = {
      onWrite: (log) => this.#onWrite(log),
      onFlush: (log) => this.#pump([log]),
      onClose: (log) => this.#logs.get(log.lease.jobId) === log && this.#logs.delete(log.lease.jobId),
    };
  }

  open(lease: Lease, offset: number): JobLog {
    const log = new RunLogBuffer(lease, offset, this.#host);
    this.#logs.set(lease.jobId, log);
    return log;
  }

  /** The controller is there: no need to wait before the next try. */
  retry(): void {
    if (this.#retryTimer === undefined) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#pump(this.#logs.values());
  }

  /** Ends the stream; what is not stored by then is given up. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#offRenew();
    for (const log of this.#logs.values()) log.abandon();
    clearTimeout(this.#ageTimer);
    clearTimeout(this.#retryTimer);
    const call = this.#call;
    if (call === undefined) return;
    const closed = new Promise((resolve) => call.once("status", resolve));
    const timer = setTimeout(() => call.cancel(), closeMs);
    call.end();
    await closed;
    clearTimeout(timer);
  }

  #onWrite(log: RunLogBuffer): void {
    this.#makeRoom();
    if (log.buffer.droppableBytes >= pieceBytes) this.#pump([log]);
    this.#ageTimer ??= setTimeout(() => {
      this.#ageTimer = undefined;
      this.#pump(this.#logs.values());
    }, pieceAgeMs);
  }

  /** Drops lines of the largest buffer until all buffers fit. */
  #makeRoom(): void {
    let kept = 0;
    for (const { buffer } of this.#logs.values()) kept += buffer.bytes;
    while (kept > maxKeptBytes) {
      const [largest] = [...this.#logs.values()].toSorted((a, b) => b.buffer.droppableBytes - a.buffer.droppableBytes);
      if (largest === undefined || largest.buffer.droppableBytes === 0) return;
      const before = largest.buffer.bytes;
      largest.buffer.dropLine();
      kept -= before - largest.buffer.bytes;
    }
  }

  #pump(logs: Iterable<RunLogBuffer>): void {
    if (this.#retryTimer !== undefined || this.#isStopped) return;
    for (const log of logs) {
      const { lease } = log;
      const { incarnation } = this.#options;
      while (this.#call?.writableNeedDrain !== true) {
        const piece = log.buffer.take(pieceBytes);
        if (piece === undefined) break;
        this.#open().write({ lease, offset: piece.offset, text: piece.text, incarnation });
      }
    }
  }

  #open(): LogCall {
    if (this.#call !== undefined) return this.#call;
    const call = this.#options.link.client.streamLogs();
    this.#call = call;
    call.on("data", (response) => this.#onStored(response));
    call.on("drain", () => this.#pump(this.#logs.values()));
    call.on("error", (error) => this.#options.logger.debug({ why: toRpcError(error).message }, "the log stream broke"));
    call.once("status", () => this.#onEnd());
    return call;
  }

  #onStored({ lease, durableOffset, closed }: StreamLogsResponse): void {
    this.#failures = 0;
    const log = lease && this.#logs.get(lease.jobId);
    if (log === undefined || log.lease.token !== lease?.token) return;
    if (closed) log.abandon();
    else log.onStored(durableOffset);
  }

  #onEnd(): void {
    this.#call = undefined;
    if (this.#isStopped) return;
    for (const { buffer } of this.#logs.values()) buffer.rewind();
    this.#failures += 1;
    this.#retryTimer = setTimeout(
      () => {
        this.#retryTimer = undefined;
        this.#pump(this.#logs.values());
      },
      backoffMs(backoff, this.#failures),
    );
  }
}
