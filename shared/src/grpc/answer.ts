import type { StatusObject } from "@grpc/grpc-js";
import type { ServerCallContext } from "./call-context.ts";
import type { CallScope, EndableCall } from "./call-scope.ts";
import { type StatusCodeName, toServiceError } from "./status.ts";

/** The one answer that a call gets: the first of success and failure wins, and the server's scope learns of it. */
export class Answer implements EndableCall {
  readonly #context: ServerCallContext;
  readonly #scope: CallScope;
  readonly #sendError: (status: StatusObject) => void;
  readonly #startedAt: number;
  #isGiven = false;

  constructor(context: ServerCallContext, scope: CallScope, sendError: (status: StatusObject) => void) {
    this.#context = context;
    this.#scope = scope;
    this.#sendError = sendError;
    this.#startedAt = scope.begin(this);
  }

  succeed(send: () => void): void {
    if (this.#isGiven) return;
    this.#record("OK");
    send();
  }

  /** Sends the status of the error, unless nobody is there to read it. */
  fail(error: unknown): void {
    if (this.#isGiven) return;
    if (this.#context.isCancelled) {
      this.#record("CANCELLED");
      return;
    }
    const { error: status, code, cause } = toServiceError(error, this.#context.requestId);
    this.#record(code, cause);
    this.#sendError(status);
  }

  abort(error: unknown): void {
    this.#context.abort(error);
    this.fail(error);
  }

  /** To be called when the handler has ended. */
  leave(): void {
    this.#context.settle();
    this.#scope.left(this);
  }

  #record(code: StatusCodeName, cause?: unknown): void {
    this.#isGiven = true;
    const context = this.#context;
    const seen = context.isCancelled ? (context.isLate ? "DEADLINE_EXCEEDED" : "CANCELLED") : code;
    this.#scope.answered({ code: seen, startedAt: this.#startedAt, call: context, cause });
  }
}
