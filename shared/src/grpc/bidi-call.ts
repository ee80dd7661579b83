import type { ServerDuplexStream } from "@grpc/grpc-js";
import { type CallContext, ServerCallContext } from "./call-context.ts";
import { takeRequest, takeRequests } from "./request-decoder.ts";

/** A call with streams both ways. */
export interface BidiCall<Req, Res> extends CallContext {
  /**
   * Calls the listener with each message as it comes. While a promise that the listener has returned is pending, no more are
   * read. Resolves when the client has sent its last one and such a promise is settled, rejects with the signal's reason. A
   * listener that throws ends the call with that error. Use this or `requests`.
   */
  onMessage(listener: (message: Req) => Promise<void> | undefined): Promise<void>;
  /** The messages, for those who want back-pressure. */
  readonly requests: AsyncIterable<Req>;
  /**
   * Sends a message. False when the buffer is full (await drained before more) or the call is over.
   * @param taken called when the connection has taken the message; never when the call is over
   */
  send(message: Res, taken?: () => void): boolean;
  /** Resolves when the buffer has room again, rejects with the signal's reason. */
  drained(): Promise<void>;
  /** Ends the call with OK at once; otherwise it ends when the handler's promise is settled. */
  end(): void;
}

/** The bidirectional call of grpc-js as a BidiCall. */
export class DuplexCall<Req, Res> extends ServerCallContext implements BidiCall<Req, Res> {
  readonly #stream: ServerDuplexStream<Req, Res>;
  readonly end: () => void;

  constructor(stream: ServerDuplexStream<Req, Res>, end: () => void) {
    super(stream);
    this.#stream = stream;
    this.end = end;
  }

  onMessage(listener: (message: Req) => Promise<void> | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal } = this;
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    let room: Promise<void> | undefined;
    this.#stream.on("data", (message: Req) => {
      if (signal.aborted) return;
      try {
        room = listener(takeRequest(message));
        if (room !== undefined) this.#pauseUntil(room);
      } catch (error) {
        this.abort(error);
      }
    });
    // a paused stream may end all the same when its last message was read
    this.#stream.once("end", () => (room === undefined ? resolve() : room.then(resolve, resolve)));
    promise.catch(() => {});
    return promise;
  }

  #pauseUntil(room: Promise<void>): void {
    const resume = () => void this.#stream.resume();
    this.#stream.pause();
    room.then(resume, resume);
  }

  get requests(): AsyncIterable<Req> {
    return takeRequests<Req>(this.#stream.iterator({ destroyOnReturn: false }));
  }

  send(message: Res, taken: () => void = () => {}): boolean {
    return this.#stream.writable && this.#stream.write(message, taken);
  }

  drained(): Promise<void> {
    return drained(this.#stream, this.signal);
  }
}

/** The part of a writable stream that takes a message. */
interface MessageStream<Message> {
  write(message: Message, taken: (error?: Error | null) => void): unknown;
}

/**
 * Writes the message; resolves when the connection has taken it, rejects with the signal's reason. The stream's own buffer
 * counts messages, whatever their size.
 */
export function written<Message>(stream: MessageStream<Message>, message: Message, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  // an error is that of the call, which aborts the signal
  stream.write(message, () => resolve());
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

/** The part of a writable stream that back-pressure is about. */
interface DrainableStream {
  readonly writableNeedDrain: boolean;
  once(event: "drain", listener: () => void): unknown;
  off(event: "drain", listener: () => void): unknown;
}

/** Resolves when the stream's buffer has room again, rejects with the signal's reason. */
export function drained(stream: DrainableStream, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  else if (!stream.writableNeedDrain) resolve();
  else {
    stream.once("drain", resolve);
    signal.addEventListener("abort", stop, { once: true });
  }
  return promise.finally(() => {
    stream.off("drain", resolve);
    signal.removeEventListener("abort", stop);
  });
}
