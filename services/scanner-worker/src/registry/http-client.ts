import { withTimeout } from "@drydock/shared/abort.ts";
import { Agent } from "undici";
import { networkFailure, type Party } from "./network-failure.ts";
import { Peer } from "./peer.ts";

/** One request. */
export interface HttpRequest {
  method: "GET" | "HEAD" | "POST";
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** The longest time until the whole body is there, in milliseconds, from when the request has a connection to itself. */
  timeoutMs: number;
  /** The longest body taken. */
  maxBytes: number;
  /** Whether it asks if the other side is back: it goes out whatever happened before, and its success is good for all. */
  isProbe?: boolean;
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
   * @throws JobFailure `<party>_UNREACHABLE`, `_TIMEOUT`, `_TLS_INVALID`, `_ANSWER_TOO_LARGE`; while a breaker is open,
   *   what opened it; the signal's reason when it aborts
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
  /** Connections to one origin at most, beside one for probes. Default 32. */
  connections?: number;
  /** How long a breaker stays open unless a probe closes it, in milliseconds. Default 15,000. */
  breakerResetMs?: number;
}

const maxPeers = 64;

/** Makes an HTTP client with connections of its own. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { party, userAgent, connections = 32, breakerResetMs = 15_000 } = options;
  const peers = new Map<string, Peer>();
  const agent = new Agent({
    allowH2: false,
    connections: connections + 1,
    connect: { timeout: 10_000 },
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  function peerOf({ origin, host }: URL): Peer {
    const exchange = (request: HttpRequest) => attempt(agent, party, userAgent, request);
    const peer = peers.get(origin) ?? new Peer({ party, host, exchange, connections, breakerResetMs });
    peers.delete(origin);
    peers.set(origin, peer);
    const [longestUnused] = peers.keys();
    if (peers.size > maxPeers && longestUnused !== undefined) {
      peers.get(longestUnused)?.stop();
      peers.delete(longestUnused);
    }
    return peer;
  }

  async function send(request: HttpRequest): Promise<HttpResponse> {
    request.signal.throwIfAborted();
    return await peerOf(new URL(request.url)).send(request);
  }

  async function stop(): Promise<void> {
    for (const peer of peers.values()) peer.stop();
    if (!agent.destroyed) await agent.destroy();
  }

  return { send, stop };
}

async function attempt(agent: Agent, party: Party, userAgent: string, request: HttpRequest): Promise<HttpResponse> {
  const signal = withTimeout(request.timeoutMs, request.signal);
  try {
    return await exchange(agent, userAgent, { ...request, signal }).catch((error: unknown) => {
      // An idle connection that the server closed just now; every request here may be repeated.
      if (signal.aborted || !isClosedSocket(error)) throw error;
      return exchange(agent, userAgent, { ...request, signal });
    });
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    throw networkFailure({ party, error, url: request.url, timedOut: signal.aborted });
  }
}

async function exchange(agent: Agent, userAgent: string, request: HttpRequest): Promise<HttpResponse> {
  const { origin, pathname, search } = new URL(request.url);
  const { statusCode, headers, body } = await agent.request({
    origin,
    path: `${pathname}${search}`,
    method: request.method,
    headers: { "user-agent": userAgent, ...request.headers },
    body: request.body ?? null,
    signal: request.signal,
  });
  const joined = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  return { status: statusCode, headers: Object.fromEntries(joined), body: await readBody(body, request.maxBytes) };
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
  return (
    error instanceof Error && "code" in error && ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(`${error.code}`)
  );
}
