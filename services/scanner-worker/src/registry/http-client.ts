import { withTimeout } from "@drydock/shared/abort.ts";
import { createHttpTransport, type HttpTransport, type LookupAll } from "@drydock/shared/http-transport.ts";
import type { Proxies } from "@drydock/shared/proxies.ts";
import { ruleFrom } from "@drydock/shared/refused-address.ts";
import CircuitBreaker from "opossum";
import { JobFailure } from "../domain/job-failure.ts";
import { networkFailure, type Party } from "./network-failure.ts";

/** One request. */
export interface HttpRequest {
  method: "GET" | "HEAD" | "POST";
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** The longest time until the whole body is there, in milliseconds. */
  timeoutMs: number;
  /** The longest body taken. */
  maxBytes: number;
  /**
   * The host whose answer named the URL; left out when the operator did. What is named so may be at an address of this
   * machine, of a link or of a cloud's metadata service only if that host is at one too.
   */
  namedBy?: string;
  signal: AbortSignal;
}

/** The answer to one request; redirects are not followed. */
export interface HttpResponse {
  status: number;
  /** By lower-case name; lines of one name are joined by ", ". */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

/** Sends requests, with a circuit breaker for each origin. */
export interface HttpClient {
  /**
   * Every status is an answer.
   * @throws JobFailure `<party>_UNREACHABLE`, `_TIMEOUT`, `_TLS_INVALID`, `_ANSWER_TOO_LARGE`, `_ADDRESS_REFUSED`,
   *   `_CIRCUIT_OPEN`; the signal's reason when it aborts
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes every connection. */
  stop(): Promise<void>;
}

/** How an HTTP client behaves. */
export interface HttpClientOptions {
  /** Whom it talks to: the first word of the reasons it fails with. */
  party: Party;
  /** Sent with every request. */
  userAgent: string;
  /** Connections to one origin at most. Default 32. */
  connections?: number;
  /** How long a breaker stays open, in milliseconds. Default 15,000. */
  breakerResetMs?: number;
  /** Default: none. */
  proxies?: Proxies | undefined;
  /** Looks names up. Default: as the machine does. */
  lookupAll?: LookupAll;
}

type Breaker = CircuitBreaker<[HttpRequest], HttpResponse>;

const maxBreakers = 64;

/** What counts against the other side: it can't be reached, or it answers 5xx. */
class PeerFault extends Error {
  readonly outcome: HttpResponse | JobFailure;
  constructor(outcome: HttpResponse | JobFailure) {
    super("the other side is at fault");
    this.outcome = outcome;
  }
}

/** Makes an HTTP client with connections of its own. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { party, userAgent, breakerResetMs = 15_000, connections = 32, proxies, lookupAll } = options;
  const breakers = new Map<string, Breaker>();
  const transport = createHttpTransport({ connections, proxies, lookupAll });

  function breakerFor(origin: string): Breaker {
    const action = (request: HttpRequest) => attempt(transport, party, userAgent, request);
    const breaker = breakers.get(origin) ?? createBreaker(action, breakerResetMs);
    breakers.delete(origin);
    breakers.set(origin, breaker);
    const [longestUnused] = breakers.keys();
    if (breakers.size > maxBreakers && longestUnused !== undefined) {
      breakers.get(longestUnused)?.shutdown();
      breakers.delete(longestUnused);
    }
    return breaker;
  }

  async function send(request: HttpRequest): Promise<HttpResponse> {
    request.signal.throwIfAborted();
    const { origin, host } = new URL(request.url);
    try {
      return await breakerFor(origin).fire(request);
    } catch (error) {
      if (error instanceof PeerFault) return responseOf(error);
      if (!(error instanceof Error && CircuitBreaker.isOurError(error))) throw error;
      const message = `${host} failed too often; asked again in ${Math.ceil(breakerResetMs / 1000)} s`;
      throw new JobFailure(`${party}_CIRCUIT_OPEN`, message, { retryable: true, retryAfterMs: breakerResetMs });
    }
  }

  async function stop(): Promise<void> {
    for (const breaker of breakers.values()) breaker.shutdown();
    transport.stop();
  }

  return { send, stop };
}

function responseOf({ outcome }: PeerFault): HttpResponse {
  if (outcome instanceof JobFailure) throw outcome;
  return outcome;
}

function createBreaker(action: (request: HttpRequest) => Promise<HttpResponse>, resetTimeout: number): Breaker {
  return new CircuitBreaker(action, {
    timeout: false,
    resetTimeout,
    rollingCountTimeout: 30_000,
    volumeThreshold: 5,
    errorThresholdPercentage: 50,
    errorFilter: (error: unknown) => !(error instanceof PeerFault),
  });
}

async function attempt(
  transport: HttpTransport,
  party: Party,
  userAgent: string,
  request: HttpRequest,
): Promise<HttpResponse> {
  const signal = withTimeout(request.timeoutMs, request.signal);
  let response: HttpResponse;
  try {
    response = await exchange(transport, userAgent, { ...request, signal }).catch((error: unknown) => {
      // An idle connection that the server closed just now; every request here may be repeated.
      if (signal.aborted || !isClosedSocket(error)) throw error;
      return exchange(transport, userAgent, { ...request, signal });
    });
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    const failure = networkFailure({ party, error, url: request.url, timedOut: signal.aborted });
    throw failure.retryable ? new PeerFault(failure) : failure;
  }
  if (response.status >= 500) throw new PeerFault(response);
  return response;
}

async function exchange(transport: HttpTransport, userAgent: string, request: HttpRequest): Promise<HttpResponse> {
  const { method, body, signal, namedBy } = request;
  const {
    status,
    headers,
    body: answer,
  } = await transport.send({
    method,
    url: new URL(request.url),
    headers: { "user-agent": userAgent, ...request.headers },
    body,
    signal,
    rule: namedBy === undefined ? undefined : ruleFrom(await transport.addressesOf(namedBy)),
  });
  return { status, headers, body: await readBody(answer, request.maxBytes) };
}

async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new RangeError(`longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function isClosedSocket(error: unknown): boolean {
  return error instanceof Error && "code" in error && ["ECONNRESET", "EPIPE"].includes(`${error.code}`);
}
