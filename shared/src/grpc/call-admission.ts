import {
  constants,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { status } from "@grpc/grpc-js";
import { FairTurns } from "../fair-turns.ts";
import { headerBytes, ignoreFarDeadline } from "./call-headers.ts";
import { refusalHeaders, refuseCall } from "./call-refusal.ts";
import { ConnectionCalls, type OpenCall } from "./connection-calls.ts";
import { IdleConnections } from "./idle-connections.ts";
import { OpenLimit, type OpenTerms } from "./open-limit.ts";

/** How much clients may have open. */
export interface AdmissionLimits {
  connections: OpenTerms;
  calls: OpenTerms;
}

/** Sees the stream of each call from its begin to its end. */
export interface CallWatch {
  add(stream: ServerHttp2Stream): void;
  forget(stream: ServerHttp2Stream): void;
}

export interface CallAdmissionOptions {
  limits: AdmissionLimits;
  /** The paths of the methods with one request and one answer. */
  unaryPaths: ReadonlySet<string>;
  watches: readonly CallWatch[];
}

/** A connection, as long as it is open. */
interface Connection {
  readonly address: string;
  readonly calls: ConnectionCalls;
  /** How many of its calls are open. */
  open: number;
  /** Whether it counts as open. */
  isCounted: boolean;
  /** What its calls are answered when there is no room for it. */
  readonly refusal: OutgoingHttpHeaders | undefined;
}

type SessionHandler = (session: ServerHttp2Session) => void;
type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** How many calls one connection may have open: each costs memory and, when something is to be told to all, time. */
const maxConnectionCalls = 1_000;
/** The largest headers of a call, by names, values and 32 bytes for each; it is what gRPC servers take in other languages. */
const maxHeaderBytes = 8 * 1024;
/** A launch takes some 50 µs of a turn: a turn of calls is short. What is in flight asks Redis, and what others ask waits behind it. */
const turnTerms = { perTurn: 100, share: 5, inFlight: 40, inFlightAlone: 200, leastInFlight: 2 };
/** Who has fewer calls open has few. */
const fewCalls = 10;
/** How long a connection that is refused, or has to go, is told so, in milliseconds. */
const refusedMs = 1_000;
/** How many of those there may be; others are closed without a word. */
const maxRefused = 200;

/** Lets connections and calls in, as many as may be open, in turns; grpc-js knows of no others. */
export class CallAdmission {
  readonly #options: CallAdmissionOptions;
  readonly #connections: OpenLimit;
  readonly #calls: OpenLimit;
  readonly #turns = new FairTurns(turnTerms);
  readonly #idle = new IdleConnections();
  readonly #known = new WeakMap<Http2Session, Connection>();
  #refused = 0;

  constructor(options: CallAdmissionOptions) {
    this.#options = options;
    const { connections, calls } = options.limits;
    const share = "share one between calls, close those that nobody uses, and connect again later";
    this.#connections = new OpenLimit({ name: "connections", remedy: share, ...connections });
    const end = "end calls that nobody waits for, and call again later";
    this.#calls = new OpenLimit({ name: "calls", remedy: end, ...calls });
  }

  /** Stands between the server and what has listened to it so far. */
  guard(server: Http2Server): void {
    server.maxConnections = this.#options.limits.connections.most + maxRefused;
    server.updateSettings({ maxConcurrentStreams: maxConnectionCalls, maxHeaderListSize: maxHeaderBytes });
    const onSession = takeListeners<SessionHandler>(server, "session");
    const onStream = takeListeners<StreamHandler>(server, "stream");
    server.on("session", (session) => {
      if (this.#enter(session)) for (const handle of onSession) handle(session);
    });
    server.on("stream", (stream, headers) => {
      this.#open(stream, headers, () => {
        for (const handle of onStream) handle(stream, headers);
      });
    });
  }

  /** False when there is no room for the connection: it is to end soon. */
  #enter(session: ServerHttp2Session): boolean {
    const address = session.socket?.remoteAddress ?? "";
    let error = this.#connections.enter(address);
    if (error !== undefined && this.#closeIdle(address)) error = this.#connections.enter(address);
    const refusal = error && refusalHeaders(error);
    const isCounted = refusal === undefined;
    const connection: Connection = { address, refusal, isCounted, open: 0, calls: new ConnectionCalls(this.#turns) };
    this.#known.set(session, connection);
    session.once("close", () => this.#leave(session, connection));
    if (isCounted) this.#idle.add(session, address);
    else this.#endRefused(session);
    return isCounted;
  }

  /** In a while, so that its client learns why; at once when there are many: those of one address must not fill what is open in all. */
  #endRefused(session: ServerHttp2Session): void {
    if (this.#refused >= maxRefused) {
      session.destroy();
      return;
    }
    this.#refused++;
    session.once("close", () => this.#refused--);
    setTimeout(() => session.destroy(), refusedMs).unref();
  }

  #leave(session: ServerHttp2Session, connection: Connection): void {
    this.#idle.remove(session);
    if (connection.isCounted) this.#connections.leave(connection.address);
    connection.isCounted = false;
  }

  /** Closes an idle connection, of the same address if there is one; whether there was any that had to give way. */
  #closeIdle(address: string): boolean {
    const session = this.#idle.take(address) ?? (this.#connections.isFull ? this.#idle.take() : undefined);
    const connection = session && this.#known.get(session);
    if (session === undefined || connection === undefined) return false;
    this.#leave(session, connection);
    session.close();
    setTimeout(() => connection.open === 0 && session.destroy(), refusedMs).unref();
    return true;
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, handle: () => void): void {
    const session = stream.session as ServerHttp2Session;
    const connection = this.#known.get(session);
    // until its turn comes nobody else listens, and an error without a listener would end the process
    stream.on("error", ignore);
    if (connection === undefined || stream.destroyed) return;
    if (isTooLarge(stream, headers)) {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const refusal = connection.refusal ?? this.#refusalOfCall(connection);
    if (refusal !== undefined) {
      refuseCall(stream, refusal);
      return;
    }
    ignoreFarDeadline(headers);
    const { watches, unaryPaths } = this.#options;
    const isUnary = unaryPaths.has(headers[":path"] ?? "");
    const begin = () => {
      for (const watch of watches) watch.add(stream);
      onAnswer(stream, (status) => connection.calls.answered(call, inVain.has(status)));
      handle();
    };
    const call: OpenCall = { isUnary, begin };
    connection.open++;
    this.#idle.remove(session);
    stream.once("close", () => {
      connection.open--;
      if (connection.open === 0 && connection.isCounted) this.#idle.add(session, connection.address);
      this.#calls.leave(connection.address);
      connection.calls.end(call);
      for (const watch of watches) watch.forget(stream);
    });
    connection.calls.open(call);
  }

  #refusalOfCall({ address, open }: Connection): OutgoingHttpHeaders | undefined {
    const error = this.#calls.enter(address, open < fewCalls);
    return error && refusalHeaders(error);
  }
}

/** What a call in vain is answered. UNAVAILABLE is the controller's own fault, and ALREADY_EXISTS says how things stand. */
const inVain: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
]);

/**
 * Calls the listener with the status when grpc-js answers the call, or begins to, which it tells nobody; when the client reads
 * the answer is its own affair.
 */
function onAnswer(stream: ServerHttp2Stream, listener: (status: number) => void): void {
  const { respond } = stream;
  stream.respond = (headers, options) => {
    respond.call(stream, headers, options);
    // an answer with a message has its status behind it
    listener(Number((headers as OutgoingHttpHeaders | undefined)?.["grpc-status"] ?? status.OK));
  };
}

/** What listens to the event; it does so no longer. */
function takeListeners<Listener>(server: Http2Server, event: "session" | "stream"): Listener[] {
  const listeners = server.listeners(event) as Listener[];
  server.removeAllListeners(event);
  return listeners;
}

/** Node refuses large headers only once the client has acknowledged the settings, which it need never do. */
function isTooLarge(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  return stream.session?.pendingSettingsAck === true && headerBytes(headers) > maxHeaderBytes;
}

/** An error of a stream that grpc-js does not know of concerns its client alone. */
function ignore(): void {}
