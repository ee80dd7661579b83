import { ReasonedError } from "@drydock/shared/errors.ts";
import type { ControllerMessage, WorkResponse } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";

/** A message from the controller to a worker. */
export type OutboxMessage = NonNullable<ControllerMessage["message"]>;

/** Maximum size of a gRPC message, and of what is in flight, in bytes; a worker takes 4 MiB. */
const maxBatchBytes = 1024 * 1024;
const maxBatchSize = 500;
/** Maximum size of the messages that wait for those in flight, in bytes: the jobs of a claim and more than a thousand answers. */
const maxWaitingBytes = 8 * 1024 * 1024;
/** Size of a message without its parameters and leases, and of a lease, in bytes. */
const messageBytes = 128;
const leaseBytes = 64;

/** The stream to a worker. */
export interface OutboxStream {
  /** Calls `taken` when the connection has taken the message. */
  send(response: WorkResponse, taken: () => void): void;
  /** There is room again after the outbox was full. */
  onRoom(): void;
  /** The worker does not read: the stream is to end. */
  onOverflow(error: ReasonedError): void;
}

/**
 * Gathers the messages of one turn of the event loop into one batch, which is one gRPC message: HTTP/2 costs far more for a
 * message than for its content. Bounds what is in flight to a worker that does not read, and what waits.
 */
export class WorkerOutbox {
  readonly #stream: OutboxStream;
  #waiting: ControllerMessage[] = [];
  #waitingBytes = 0;
  #bytesInFlight = 0;
  #isDue = false;

  constructor(stream: OutboxStream) {
    this.#stream = stream;
  }

  /** Whether no more jobs are to be sent until the worker has read what is in flight. */
  get isFull(): boolean {
    return this.#bytesInFlight + this.#waitingBytes >= maxBatchBytes;
  }

  send(message: OutboxMessage): void {
    this.#waiting.push({ message });
    this.#waitingBytes += bytesOf(message);
    if (this.#waitingBytes > maxWaitingBytes) this.#overflow();
    else if (this.#waitingBytes >= maxBatchBytes || this.#waiting.length >= maxBatchSize) this.#flush();
    else this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#bytesInFlight < maxBatchBytes) {
      const messages = this.#takeBatch();
      const bytes = messages.reduce((sum, { message }) => sum + bytesOf(message), 0);
      this.#waitingBytes -= bytes;
      this.#bytesInFlight += bytes;
      this.#stream.send({ messages }, () => this.#taken(bytes));
    }
  }

  /** Takes the messages of the next batch. */
  #takeBatch(): ControllerMessage[] {
    let [count, bytes] = [0, 0];
    while (count < this.#waiting.length && count < maxBatchSize && bytes < maxBatchBytes) {
      bytes += bytesOf(this.#waiting[count]?.message);
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #taken(bytes: number): void {
    const wasFull = this.isFull;
    this.#bytesInFlight -= bytes;
    this.#flush();
    if (wasFull && !this.isFull) this.#stream.onRoom();
  }

  #overflow(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    const text = `the worker does not read its stream: ${maxWaitingBytes} bytes wait for it`;
    this.#stream.onOverflow(new ReasonedError("SLOW_READER", text, { metadata: { most: String(maxWaitingBytes) } }));
  }
}

/** About how many bytes the message has. */
function bytesOf(message: OutboxMessage | undefined): number {
  switch (message?.$case) {
    case "assign":
      return messageBytes + message.value.parametersJson.length;
    case "welcome":
      return messageBytes + leaseBytes * (message.value.keep.length + message.value.drop.length);
    case "beatAck":
      return messageBytes + leaseBytes * (message.value.lost.length + message.value.commands.length);
    default:
      return messageBytes;
  }
}
