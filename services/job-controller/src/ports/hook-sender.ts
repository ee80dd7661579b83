/** A request to a receiver. */
export interface HookMessage {
  /** The same each time that the event is sent. */
  id: string;
  url: string;
  /** When it is sent, in milliseconds since 1970. */
  at: number;
  /** JSON. */
  body: string;
}

/** The delivery failed. */
export interface HookFailure {
  kind: "failed";
  /** A word without secrets, such as "HTTP 500" or "ECONNREFUSED". */
  cause: string;
  /** The receiver's Retry-After, in milliseconds, an hour at most; absent when there is none. */
  retryAfterMs?: number;
}

/** The outcome of a request. */
export type HookAnswer = { kind: "delivered" } | { kind: "gone" } | HookFailure;

/** Sends to receivers. */
export interface HookSender {
  /** Never rejects: a signal that aborts is a failure too. */
  send(message: HookMessage, signal: AbortSignal): Promise<HookAnswer>;
  /** Closes every connection. */
  stop(): Promise<void>;
}
