import type { CheckIn, Lease, RunResult } from "../ports/job-source.ts";
import { toCheckIn, toResult, type WorkerMessage } from "./messages.ts";

/** Maximum number in one gRPC message: each has some 2 KiB at most, and a controller takes 4 MiB. */
const maxMessages = 500;

/** What the outbox needs of a stream. */
export interface OutboxStream {
  write(request: { messages: Array<{ message: WorkerMessage }> }): boolean;
  readonly writableNeedDrain: boolean;
  readonly writable: boolean;
  once(event: "drain", listener: () => void): unknown;
}

/**
 * Gathers the messages of one turn of the event loop and writes them at its end as one gRPC message: HTTP/2 costs
 * far more for a message than for what is in it. Superseded messages are never sent: a Result says all that an Accept or a
 * check-in of its job would say. While the stream's buffer is full, messages wait.
 */
export class Outbox {
  readonly #stream: OutboxStream;
  readonly #accepts = new Map<string, Lease>();
  readonly #checkIns = new Map<string, { lease: Lease; checkIn: CheckIn }>();
  #others: WorkerMessage[] = [];
  #isDue = false;
  #isHeldBack = false;

  constructor(stream: OutboxStream) {
    this.#stream = stream;
  }

  accept(lease: Lease): void {
    this.#accepts.set(lease.jobId, lease);
    this.#schedule();
  }

  checkIn(lease: Lease, checkIn: CheckIn): void {
    this.#checkIns.set(lease.jobId, { lease, checkIn });
    this.#schedule();
  }

  result(result: RunResult): void {
    const { jobId } = result.lease;
    this.#accepts.delete(jobId);
    this.#checkIns.delete(jobId);
    this.send(toResult(result));
  }

  send(message: WorkerMessage): void {
    this.#others.push(message);
    this.#schedule();
  }

  /** Writes this message at once and holds back all others until `resume`. */
  ask(message: WorkerMessage): void {
    this.#isHeldBack = true;
    if (this.#stream.writable) this.#stream.write({ messages: [{ message }] });
  }

  /** Sends the messages that were held back, and all later ones. */
  resume(): void {
    this.#isHeldBack = false;
    this.#schedule();
  }

  /** Writes what waits, at once. */
  flush(): void {
    this.#isDue = false;
    if (!this.#stream.writable) return;
    const messages: WorkerMessage[] = [];
    for (const lease of this.#accepts.values()) messages.push({ $case: "accept", value: { lease } });
    this.#accepts.clear();
    for (const { lease, checkIn } of this.#checkIns.values()) messages.push(toCheckIn(lease, checkIn));
    this.#checkIns.clear();
    messages.push(...this.#others);
    this.#others = [];
    for (let at = 0; at < messages.length; at += maxMessages) {
      this.#stream.write({ messages: messages.slice(at, at + maxMessages).map((message) => ({ message })) });
    }
  }

  #schedule(): void {
    if (this.#isDue || this.#isHeldBack) return;
    this.#isDue = true;
    setImmediate(() => {
      if (this.#isHeldBack) this.#isDue = false;
      else if (this.#stream.writableNeedDrain) this.#stream.once("drain", () => this.flush());
      else this.flush();
    });
  }
}
