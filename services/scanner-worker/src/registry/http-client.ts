import { maxTimerMs } from "@drydock/shared/abort.ts";
import {
  createHttpTransport,
  type HttpTransport,
  type LookupAll,
  type TlsTrust,
} from "@drydock/shared/http-transport.ts";
import type { Proxies } from "@drydock/shared/proxies.ts";
import { ruleFrom } from "@drydock/shared/refused-address.ts";
import { type Endpoint, endpoints, type Party } from "../domain/endpoint.ts";
import type { HttpRequest, HttpResponse } from "./http-exchange.ts";
import { LeastProgress } from "./least-progress.ts";
import { networkFailure } from "./network-failure.ts";
import { Peer, type PeerRequest } from "./peer.ts";

/** Sends requests, with a circuit breaker for each origin. */
export interface HttpClient {
  /**
   * Every status is an answer.
   * @throws JobFailure `<party>_UNREACHABLE`, `_TIMEOUT`, `_TLS_INVALID`, `_ANSWER_TOO_LARGE`, `_ADDRESS_REFUSED`; while a breaker is open,
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
  /** Default: none. */
  proxies?: Proxies | undefined;
  /** Looks names up. Default: as the machine does. */
  lookupAll?: LookupAll;
  /** Whom it trusts by https, and how it is known there. Default: Node's authorities, and nobody. */
  tls?: TlsTrust | undefined;
}

const maxPeers = 64;
const ownEndpoints: Record<Party, Endpoint> = { REGISTRY: endpoints.registry, SCANNER: endpoints.scanner };

/** Makes an HTTP client with connections of its own. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { party, userAgent, connections = 32, breakerResetMs = 15_000, proxies, lookupAll, tls } = options;
  const peers = new Map<string, Peer>();
  const transport = createHttpTransport({ connections: connections + 1, proxies, lookupAll, tls });

  function peerOf({ origin, host }: URL): Peer {
    const exchange = (request: PeerRequest) => attempt(transport, userAgent, request);
    const peer = peers.get(origin) ?? new Peer({ host, exchange, connections, breakerResetMs });
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
    return await peerOf(new URL(request.url)).send({ endpoint: ownEndpoints[party], ...request });
  }

  async function stop(): Promise<void> {
    for (const peer of peers.values()) peer.stop();
    transport.stop();
  }

  return { send, stop };
}

async function attempt(transport: HttpTransport, userAgent: string, request: PeerRequest): Promise<HttpResponse> {
  const stop = new AbortController();
  let lateness: "too slow" | "too late" = "too late";
  const end = () => stop.abort();
  const progress = new LeastProgress(() => {
    lateness = "too slow";
    end();
  });
  // cleared by hand: signals made of others stay until they are collected, and there are several of each image that is scanned
  const timer = setTimeout(end, Math.min(request.timeoutMs, maxTimerMs));
  request.signal.addEventListener("abort", end, { once: true });
  const send = () => exchange(transport, userAgent, { ...request, signal: stop.signal, progress });
  try {
    request.signal.throwIfAborted();
    return await send().catch((error: unknown) => {
      // An idle connection that the server closed just now; every request here may be repeated.
      if (stop.signal.aborted || !isClosedSocket(error)) throw error;
      progress.reset();
      return send();
    });
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    const { endpoint, url } = request;
    throw networkFailure({ endpoint, error, url, ...(stop.signal.aborted && { lateness }) });
  } finally {
    progress.reset();
    clearTimeout(timer);
    request.signal.removeEventListener("abort", end);
  }
}

async function exchange(
  transport: HttpTransport,
  userAgent: string,
  request: HttpRequest & { progress: LeastProgress },
): Promise<HttpResponse> {
  const { method, body, signal, namedBy, progress } = request;
  const {
    status,
    headers,
    body: answer,
  } = await transport.send({
    method,
    url: new URL(request.url),
    // Nothing is unpacked here: what an answer holds may be many times what came.
    headers: { "user-agent": userAgent, "accept-encoding": "identity", ...request.headers },
    body,
    signal,
    progress,
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
