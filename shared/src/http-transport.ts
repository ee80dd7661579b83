import { type LookupAddress, type LookupAllOptions, lookup } from "node:dns";
import { Agent, type AgentOptions, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { noProxies, type Proxies, proxyFor } from "./proxies.ts";
import { type AddressRule, addressOf, isRefusedAddress, isRefusedHost } from "./refused-address.ts";

/** How a transport connects. */
export interface TransportOptions {
  /** Default: none. */
  proxies?: Proxies | undefined;
  /** Connections to one origin at most. Default: no limit. */
  connections?: number;
  /** The longest time until a connection is there, its TLS included, and for one to be idle, in milliseconds. Default 10,000. */
  connectTimeoutMs?: number;
  /** Looks names up. Default: as the machine does. */
  lookupAll?: LookupAll | undefined;
  /** Whom to trust by https, and how to be known there. Default: Node's authorities, and nobody. */
  tls?: TlsTrust | undefined;
}

/** Whom a client trusts by TLS, and how it is known, all in PEM. */
export interface TlsTrust {
  /** Certificates of authorities beside Node's own and those of NODE_EXTRA_CA_CERTS. Default: none. */
  authorities?: string | undefined;
  /** The client's certificate, with those of its authorities behind it, for whoever asks for one. Default: none. */
  certificate?: string | undefined;
  /** The key of that certificate. */
  key?: string | undefined;
}

/** Gives all addresses of a name. */
export type LookupAll = (hostname: string, options: LookupAllOptions, callback: LookupAllCallback) => void;
type LookupAllCallback = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** A request as it is sent. */
export interface TransportRequest {
  method: string;
  /** User name, password and fragment are not sent. */
  url: URL;
  headers: Record<string, string>;
  body?: string | undefined;
  signal: AbortSignal;
  /** Which addresses may be called. Default: all. What a proxy looks up is the proxy's to refuse. */
  rule?: AddressRule | undefined;
  /** Hears how the answer comes. */
  progress?: AnswerProgress;
}

/** Hears how an answer comes, its headers included. */
export interface AnswerProgress {
  /** So many bytes have come. */
  received(bytes: number): void;
  /** What has come was an interim answer: the answer has not begun. */
  reset(): void;
}

/** An answer as it begins. */
export interface TransportAnswer {
  status: number;
  /** By lower-case name; lines of one name are joined by ", ". */
  headers: Readonly<Record<string, string>>;
  /** Must be read to its end or left by the loop. */
  body: AsyncIterable<Uint8Array>;
}

/** Sends HTTP/1.1 requests over connections that it keeps. Interim answers are passed over, redirects are not followed. */
export interface HttpTransport {
  /** @throws Error with a `code`: ADDRESS_REFUSED, ETIMEDOUT for a connection that does not come about, or Node's own */
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** The addresses of a URL's host; none when it has none. */
  addressesOf(hostname: string): Promise<string[]>;
  /** Closes every connection. */
  stop(): void;
}

/** The code of the error of a request to an address that must not be called. */
export const addressRefused = "ADDRESS_REFUSED";

/** Makes a transport with connections of its own. */
export function createHttpTransport(options: TransportOptions = {}): HttpTransport {
  const { proxies = noProxies, connectTimeoutMs = 10_000, lookupAll = lookup } = options;
  const agents = new Map<string, Agent>();
  const secureContext = options.tls && secureContextOf(options.tls);
  let isStopped = false;

  /** One for each way to connect: a connection that one rule allows serves no request with another. */
  const agentFor = (url: URL, rule: AddressRule | undefined): Agent => {
    const proxy = proxyFor(url, proxies)?.href;
    const key = JSON.stringify([url.protocol, proxy, rule?.allowLinkLocal, rule?.allowLoopback, rule !== undefined]);
    const known = agents.get(key);
    if (known !== undefined) return known;
    const agent = new (url.protocol === "https:" ? TlsAgent : Agent)({
      ...agentOptions({ ...options, connectTimeoutMs }, proxy),
      ...(secureContext && { secureContext }),
    });
    agents.set(key, agent);
    return agent;
  };

  return {
    async send(request) {
      const { url, rule } = request;
      if (isStopped) throw new TransportError("the transport was stopped", "ECANCELED");
      if (rule !== undefined && isRefusedHost(url.hostname, rule)) throw new AddressRefused();
      const lookup = rule === undefined ? lookupAny(lookupAll) : lookupAllowed(lookupAll, rule);
      return await exchange(request, { agent: agentFor(url, rule), lookup, connectTimeoutMs });
    },
    addressesOf(hostname) {
      const address = addressOf(hostname);
      if (address !== undefined) return Promise.resolve([address]);
      return new Promise((resolve) => {
        lookupAll(hostname, { all: true }, (error, found) => {
          resolve(error ? [] : found.map((each) => each.address));
        });
      });
    },
    stop() {
      isStopped = true;
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function secureContextOf({ authorities, certificate, key }: TlsTrust): SecureContext {
  return createSecureContext({
    ...(authorities !== undefined && { ca: [...getCACertificates("default"), authorities] }),
    ...(certificate !== undefined && { cert: certificate, key }),
  });
}

function agentOptions(
  { connections, connectTimeoutMs: timeout = 0 }: TransportOptions,
  proxy: string | undefined,
): AgentOptions {
  return {
    keepAlive: true,
    // Ends idle connections and tunnels that do not come about; an answer may take longer.
    timeout,
    ...(connections !== undefined && { maxSockets: connections }),
    ...(proxy !== undefined && { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
  };
}

/** By which connection a request goes. */
interface Way {
  agent: Agent;
  lookup: LookupFunction;
  connectTimeoutMs: number;
}

function exchange(wanted: TransportRequest, way: Way): Promise<TransportAnswer> {
  const { method, url, headers, body, signal, progress } = wanted;
  const { agent, lookup, connectTimeoutMs } = way;
  const { protocol, port, pathname, search } = url;
  const hostname = addressOf(url.hostname) ?? url.hostname;
  const path = `${pathname}${search}`;
  return new Promise((resolve, reject) => {
    const send = protocol === "https:" ? tlsRequest : httpRequest;
    const request = send({ method, protocol, hostname, port, path, headers, signal, agent, lookup });
    request.on("socket", (socket) => limitConnecting(socket, protocol, connectTimeoutMs));
    if (progress !== undefined) tellProgress(request, progress);
    request.on("response", (answer) => resolve(toAnswer(answer)));
    request.on("upgrade", (_, socket) => {
      socket.destroy();
      reject(new TransportError("the other side changed the protocol, unasked", "EPROTO"));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** The progress hears of bytes before the request does, and so of an interim answer's before its end. */
function tellProgress(request: ClientRequest, progress: AnswerProgress): void {
  const received = (bytes: Buffer) => progress.received(bytes.byteLength);
  request.on("socket", (socket) => {
    socket.prependListener("data", received);
    request.once("close", () => socket.off("data", received));
  });
  request.on("information", () => progress.reset());
}

/** A tunnel through a proxy comes connected; its time is limited by the agent. */
function limitConnecting(socket: Socket, protocol: string, timeoutMs: number): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => {
    socket.destroy(new TransportError("the connection did not come about in time", "ETIMEDOUT"));
  }, timeoutMs);
  const clear = () => clearTimeout(timer);
  socket.once(protocol === "https:" ? "secureConnect" : "connect", clear).once("close", clear);
}

function toAnswer(answer: IncomingMessage): TransportAnswer {
  const joined = Object.entries(answer.headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  return { status: answer.statusCode ?? 0, headers: Object.fromEntries(joined), body: answer };
}

function lookupAny(lookupAll: LookupAll): LookupFunction {
  return lookupBy(lookupAll, () => true);
}

/** What is connected to is what was checked: the name is not looked up again. */
function lookupAllowed(lookupAll: LookupAll, rule: AddressRule): LookupFunction {
  return lookupBy(lookupAll, ({ address }) => !isRefusedAddress(address, rule));
}

function lookupBy(lookupAll: LookupAll, isAllowed: (found: LookupAddress) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookupAll(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, "");
      const addresses = found.filter(isAllowed);
      const [first] = addresses;
      if (first === undefined) return callback(new AddressRefused(), "");
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

class AddressRefused extends TransportError {
  constructor() {
    super("the address must not be called", addressRefused);
  }
}
