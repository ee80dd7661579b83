/** What a receiver is sent. */
export interface HookMessage {
  /** The same each time that the event is sent. */
  id: string;
  url: string;
  /** When it is sent, in milliseconds since 1970. */
  at: number;
  /** JSON. */
  body: string;
}

/** What the receiver made of it. The cause names no secrets. */
export type HookAnswer = { kind: "delivered" } | { kind: "gone" } | { kind: "failed"; cause: string };

/** Sends to receivers. */
export interface HookSender {
  /** Never rejects: a signal that aborts is a failure too. */
  send(message: HookMessage, signal: AbortSignal): Promise<HookAnswer>;
  /** Closes every connection. */
  stop(): Promise<void>;
}
