import { randomUUID } from "node:crypto";
import type { Deadline, Metadata } from "@grpc/grpc-js";

/** What a handler knows of its call beside the request. */
export interface CallContext {
  /** Aborts when nobody waits for the answer any more: client gone, deadline over, server shutting down (streams only). */
  readonly signal: AbortSignal;
  /** When the caller gives up, in milliseconds since 1970; undefined when it never does. */
  readonly deadline: number | undefined;
  /** The caller's x-request-id, else a new one. */
  readonly requestId: string;
  /** What the caller sent as headers. */
  readonly metadata: Metadata;
  /** The caller's address, e.g. 127.0.0.1:40112; "unknown" when first asked for after the connection broke. */
  readonly peer: string;
  /** The caller's W3C trace context, when it sent a sound one (https://www.w3.org/TR/trace-context/). */
  readonly traceparent: string | undefined;
  /** Calls the listener once when the call is over: its answer was handed to the connection, or nobody waits for one. */
  onOver(listener: () => void): void;
}

/** What the calls of grpc-js have in common. */
export interface SurfaceCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPeer(): string;
  getDeadline(): Deadline;
  once(event: "cancelled", listener: () => void): unknown;
}

const requestIdPattern = /^[\x21-\x7e]{1,128}$/;
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** By how much a caller's own timer may be earlier than ours, in milliseconds. */
const deadlineSlackMs = 25;

/** The context of a call of grpc-js. Everything in it is made when first asked for: most unary calls ask for nothing. */
export class ServerCallContext implements CallContext {
  readonly #call: SurfaceCall;
  #abort: AbortController | undefined;
  #requestId: string | undefined;
  #peer: string | undefined;
  #isSettled = false;

  constructor(call: SurfaceCall) {
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#controller().signal;
  }

  get deadline(): number | undefined {
    const deadline = Number(this.#call.getDeadline());
    return Number.isFinite(deadline) ? deadline : undefined;
  }

  get requestId(): string {
    this.#requestId ??= this.#header("x-request-id", requestIdPattern) ?? randomUUID();
    return this.#requestId;
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  get peer(): string {
    this.#peer ??= this.#call.getPeer();
    return this.#peer;
  }

  get traceparent(): string | undefined {
    return this.#header("traceparent", traceparentPattern);
  }

  onOver(listener: () => void): void {
    // grpc-js emits "cancelled" at the end of every call, good or bad
    if (this.#call.cancelled) listener();
    else this.#call.once("cancelled", listener);
  }

  /** Whether the client is gone or the deadline is over. */
  get isCancelled(): boolean {
    return this.#call.cancelled;
  }

  /** Whether the deadline is over, or so near that a cancel means it. */
  get isLate(): boolean {
    return (this.deadline ?? Number.POSITIVE_INFINITY) <= Date.now() + deadlineSlackMs;
  }

  /** Aborts the signal for a reason of the server's. */
  abort(reason: unknown): void {
    this.#controller().abort(reason);
  }

  /** To be called when the handler has ended: from now on nothing aborts the signal. */
  settle(): void {
    this.#isSettled = true;
  }

  #controller(): AbortController {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      this.onOver(() => this.#onCancelled());
    }
    return this.#abort;
  }

  #onCancelled(): void {
    if (this.#isSettled) return;
    this.#abort?.abort(
      this.isLate
        ? new DOMException("the deadline of the call is over", "TimeoutError")
        : new DOMException("the caller cancelled the call", "AbortError"),
    );
  }

  #header(name: string, pattern: RegExp): string | undefined {
    const [value] = this.#call.metadata.get(name);
    return typeof value === "string" && pattern.test(value) ? value : undefined;
  }
}
