import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { ReasonedError } from "../errors.ts";
import type { CallWatch } from "./call-admission.ts";
import { refusalHeaders, refuseCall } from "./call-refusal.ts";
import { isWholeMessage, MessageProgress } from "./message-progress.ts";

/** What requests may take on their way in. */
export interface RequestLimits {
  /** How long a message may take: the first of a call from the call's beginning, others from their first byte. In milliseconds. */
  completeMs: number;
  /** What the unfinished messages of all connections may hold together, in bytes. */
  bytes: number;
  /** How many calls may be open of which no byte of a request has come. */
  silentCalls: number;
}

/** A message of which a part has come. */
interface UnfinishedMessage {
  readonly progress: MessageProgress;
  since: number;
  /** What it counts in the budget. */
  bytes: number;
}

/** How often the age of messages is looked at, in milliseconds. */
const lookMs = 1_000;
/** When the budget is used up, messages that take longer are cut first. In milliseconds. */
const slowMs = 2_000;
const retryAfterMs = 1_000;

/**
 * Bounds the requests that have not come whole: grpc-js holds what it has of each, and knows no limit for all together. A
 * message that comes in one piece, as small ones do, is not counted.
 */
export class RequestWatch implements CallWatch {
  readonly #limits: RequestLimits;
  readonly #busy: OutgoingHttpHeaders;
  readonly #late: OutgoingHttpHeaders;
  readonly #timer: NodeJS.Timeout;
  /** The calls of which no byte of a request was read, since when; the oldest first. */
  readonly #silent = new Map<ServerHttp2Stream, number>();
  /** The calls that are within a message; the one that began first is the first. */
  readonly #unfinished = new Map<ServerHttp2Stream, UnfinishedMessage>();
  readonly #take: (this: ServerHttp2Stream, piece: Buffer) => void;
  #held = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.#busy = busyHeaders(limits.bytes);
    this.#late = lateHeaders(limits.completeMs);
    const watch = this;
    this.#take = function take(piece) {
      watch.#count(this, piece);
    };
    this.#timer = setInterval(() => this.#look(), Math.min(lookMs, limits.completeMs));
    this.#timer.unref();
  }

  /** Watches the stream until it is forgotten. To be called before any of it is read. */
  add(stream: ServerHttp2Stream): void {
    this.#silent.set(stream, performance.now());
    stream.on("data", this.#take);
    if (this.#silent.size > this.#limits.silentCalls) this.#refuseSilent();
  }

  forget(stream: ServerHttp2Stream): void {
    this.#silent.delete(stream);
    this.#held -= this.#unfinished.get(stream)?.bytes ?? 0;
    this.#unfinished.delete(stream);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #count(stream: ServerHttp2Stream, piece: Buffer): void {
    this.#silent.delete(stream);
    const begun = this.#unfinished.get(stream);
    if (begun === undefined && (isWholeMessage(piece) || stream.closed)) return;
    const progress = begun?.progress ?? new MessageProgress();
    const ended = progress.push(piece);
    if (ended) this.forget(stream);
    if (!progress.isWithinMessage) return;
    const message = (ended ? undefined : begun) ?? { progress, since: performance.now(), bytes: 0 };
    const bytes = heldFor(piece);
    message.bytes += bytes;
    this.#held += bytes;
    this.#unfinished.set(stream, message);
    if (this.#held > this.#limits.bytes) this.#makeRoom(stream);
  }

  /** Refuses the oldest: a client that means its call sends the request right behind the headers. */
  #refuseSilent(): void {
    for (const stream of this.#silent.keys()) {
      if (stream.isPaused()) continue;
      this.#refuse(stream, this.#busy);
      return;
    }
  }

  /** Cuts slow messages, then the one that grew: those who stop halfway keep nobody's upload out. */
  #makeRoom(grown: ServerHttp2Stream): void {
    const slowSince = performance.now() - slowMs;
    for (const [stream, { since }] of this.#unfinished) {
      if (since > slowSince || this.#held <= this.#limits.bytes) break;
      if (!stream.isPaused()) this.#refuse(stream, this.#busy);
    }
    if (this.#held > this.#limits.bytes) this.#refuse(grown, this.#busy);
  }

  #look(): void {
    const now = performance.now();
    const lateSince = now - this.#limits.completeMs;
    for (const [stream, since] of this.#silent) {
      if (since > lateSince) break;
      if (stream.isPaused()) renew(this.#silent, stream, now);
      else this.#refuse(stream, this.#late);
    }
    for (const [stream, message] of this.#unfinished) {
      if (message.since > lateSince) break;
      if (stream.isPaused()) renew(this.#unfinished, stream, { ...message, since: now });
      else this.#refuse(stream, this.#late);
    }
  }

  #refuse(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
    this.forget(stream);
    refuseCall(stream, headers);
  }
}

/** The time of a stream that the server itself has paused begins anew, behind those of all others. */
function renew<Value>(streams: Map<ServerHttp2Stream, Value>, stream: ServerHttp2Stream, value: Value): void {
  streams.delete(stream);
  streams.set(stream, value);
}

/** A piece keeps what was read from the connection together with it, but so do its neighbours: each counts a quarter at least. */
function heldFor(piece: Buffer): number {
  return Math.max(piece.length, piece.buffer.byteLength / 4);
}

function busyHeaders(bytes: number): OutgoingHttpHeaders {
  const text = `unfinished requests hold all that there is for them, ${bytes} bytes; call again shortly`;
  return refusalHeaders(new ReasonedError("SERVER_BUSY", text, { metadata: { most: String(bytes) }, retryAfterMs }));
}

function lateHeaders(completeMs: number): OutgoingHttpHeaders {
  const text = `the request did not come whole within ${completeMs} ms; send it without a pause, or a smaller one`;
  return refusalHeaders(new ReasonedError("REQUEST_TIMED_OUT", text, { metadata: { most: String(completeMs) } }));
}
