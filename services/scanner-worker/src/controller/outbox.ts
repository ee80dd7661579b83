import type { CheckIn, Lease, RunResult } from "../ports/job-source.ts";
import { type Said, toCheckIn, toResult } from "./messages.ts";

/** What the outbox needs of a stream. */
export interface OutboxStream {
  write(message: { message: Said }): boolean;
  readonly writableNeedDrain: boolean;
  readonly writable: boolean;
  once(event: "drain", listener: () => void): unknown;
}

/**
 * Gathers what is said within one turn of the event loop and writes it at the end of it, so that what is overtaken is
 * never sent: a Result says all that an Accept or a check-in of its job would say. While the stream is full, it waits.
 */
export class Outbox {
  readonly #stream: OutboxStream;
  readonly #accepts = new Map<string, Lease>();
  readonly #checkIns = new Map<string, { lease: Lease; checkIn: CheckIn }>();
  #others: Said[] = [];
  #isDue = false;

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

  send(message: Said): void {
    this.#others.push(message);
    this.#schedule();
  }

  /** Writes what waits, at once. */
  flush(): void {
    this.#isDue = false;
    if (!this.#stream.writable) return;
    for (const lease of this.#accepts.values()) this.#write({ $case: "accept", value: { lease } });
    this.#accepts.clear();
    for (const { lease, checkIn } of this.#checkIns.values()) this.#write(toCheckIn(lease, checkIn));
    this.#checkIns.clear();
    for (const message of this.#others) this.#write(message);
    this.#others = [];
  }

  #write(message: Said): void {
    this.#stream.write({ message });
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      if (this.#stream.writableNeedDrain) this.#stream.once("drain", () => this.flush());
      else this.flush();
    });
  }
}
