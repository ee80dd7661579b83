import type { CallContext } from "./call-context.ts";
import type { StatusCodeName } from "./status.ts";

/** How a call ended. */
export interface CallOutcome {
  code: StatusCodeName;
  /** What begin gave. */
  startedAt: number;
  call: CallContext;
  /** What led to the error, for the log. */
  cause?: unknown;
}

/** A call that the server can end. */
export interface EndableCall {
  /** Answers the call with the error and aborts its signal. */
  abort(error: unknown): void;
}

/** What the server wants to know of the calls of one method: given to the handlers by the server, not by who writes one. */
export interface CallScope {
  /** A call starts; the server may abort it until its handler has left. Returns the time, for answered. */
  begin(call: EndableCall): number;
  answered(outcome: CallOutcome): void;
  /** The call's handler has ended. */
  left(call: EndableCall): void;
}

/** The scope of a handler that no server of ours runs. */
export const looseScope: CallScope = { begin: () => 0, answered: () => {}, left: () => {} };
