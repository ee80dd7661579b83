import { ReasonedError } from "@drydock/shared/errors.ts";
import type { ControllerMessage, WorkResponse } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";

/** What the controller says to a worker. */
export type Saying = NonNullable<ControllerMessage["message"]>;

/** So much goes into one gRPC message, and is on its way at once; a worker takes 4 MiB. */
const mostBytes = 1024 * 1024;
const mostMessages = 500;
/** What waits behind that at most, in bytes: the jobs of a claim and more than a thousand answers. */
const mostWaitingBytes = 8 * 1024 * 1024;
/** What a message has beside its parameters and leases, and what a lease has, in bytes. */
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
 * Gathers what is said within one turn of the event loop and sends it at the end of it as one gRPC message: HTTP/2 costs
 * far more for a message than for what is in it. A worker that does not read has little on its way and little that waits.
 */
export class WorkerOutbox {
  readonly #stream: OutboxStream;
  #waiting: ControllerMessage[] = [];
  #waitingBytes = 0;
  #sentBytes = 0;
  #isDue = false;

  constructor(stream: OutboxStream) {
    this.#stream = stream;
  }

  /** Whether jobs are to wait until the worker has read what there is. */
  get isFull(): boolean {
    return this.#sentBytes + this.#waitingBytes >= mostBytes;
  }

  say(message: Saying): void {
    this.#waiting.push({ message });
    this.#waitingBytes += bytesOf(message);
    if (this.#waitingBytes > mostWaitingBytes) this.#overflow();
    else if (this.#waitingBytes >= mostBytes || this.#waiting.length >= mostMessages) this.#flush();
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
    while (this.#waiting.length > 0 && this.#sentBytes < mostBytes) {
      const messages = this.#next();
      const bytes = messages.reduce((sum, { message }) => sum + bytesOf(message), 0);
      this.#waitingBytes -= bytes;
      this.#sentBytes += bytes;
      this.#stream.send({ messages }, () => this.#taken(bytes));
    }
  }

  /** What goes into the next gRPC message. */
  #next(): ControllerMessage[] {
    let [count, bytes] = [0, 0];
    while (count < this.#waiting.length && count < mostMessages && bytes < mostBytes) {
      bytes += bytesOf(this.#waiting[count]?.message);
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #taken(bytes: number): void {
    const wasFull = this.isFull;
    this.#sentBytes -= bytes;
    this.#flush();
    if (wasFull && !this.isFull) this.#stream.onRoom();
  }

  #overflow(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    const text = `the worker does not read its stream: ${mostWaitingBytes} bytes wait for it`;
    this.#stream.onOverflow(new ReasonedError("SLOW_READER", text, { metadata: { most: String(mostWaitingBytes) } }));
  }
}

/** About how many bytes the message has. */
function bytesOf(message: Saying | undefined): number {
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
