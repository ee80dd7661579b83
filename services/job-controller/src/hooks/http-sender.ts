import { withTimeout } from "@drydock/shared/abort.ts";
import { toError } from "@drydock/shared/errors.ts";
import {
  addressRefused,
  createHttpTransport,
  type HttpTransport,
  type LookupAll,
} from "@drydock/shared/http-transport.ts";
import type { Proxies } from "@drydock/shared/proxies.ts";
import { type AddressRule, isRefusedHost } from "@drydock/shared/refused-address.ts";
import { readRetryAfter } from "@drydock/shared/retry-after.ts";
import CircuitBreaker from "opossum";
import type { HookAnswer, HookMessage, HookSender } from "../ports/hook-sender.ts";
import { signatureOf } from "./signature.ts";

/** How hooks are sent. */
export interface HttpSenderOptions extends AddressRule {
  /** Signs what is sent. */
  secret: Uint8Array | undefined;
  /** Until the answer's status is there, in milliseconds. Default 10,000. */
  timeoutMs?: number;
  /** Looks names up. Default: as the machine does. */
  lookupAll?: LookupAll;
  /** Default: none. */
  proxies?: Proxies;
  /** How long a breaker stays open, in milliseconds. Default 15,000. */
  breakerResetMs?: number;
}

/** A host that hooks go to. */
interface Receiver {
  breaker: CircuitBreaker<[HookMessage, AbortSignal], Answered>;
  /** Why its last try failed; empty before the first failure. The cause of each delivery that an open breaker refuses. */
  cause: string;
}

/** The part of an answer that counts. */
interface Answered {
  status: number;
  retryAfterMs: number | undefined;
}

const maxReceivers = 1_000;
/** Maximum number of bytes that are read of an answer's body, which is ignored. */
const maxReadBytes = 64 * 1024;

/** Failures that the circuit breaker counts: no connection, 429, or a 5xx answer. */
class ReceiverFault extends Error {
  readonly retryAfterMs: number | undefined;

  constructor(cause: string, retryAfterMs?: number) {
    super(cause);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Sends by HTTP, with a circuit breaker for each host. Redirects are not followed. */
export function createHttpSender(options: HttpSenderOptions): HookSender {
  const { timeoutMs = 10_000, breakerResetMs = 15_000 } = options;
  const receivers = new Map<string, Receiver>();
  // no limit on connections: waiting for one would use up the receiver's time limit
  const { proxies, lookupAll } = options;
  const transport = createHttpTransport({ connectTimeoutMs: timeoutMs, proxies, lookupAll });

  const attempt = async (message: HookMessage, signal: AbortSignal): Promise<Answered> => {
    const answered = await post(transport, message, { ...options, signal }).catch((error: unknown) => {
      throw new ReceiverFault(causeOf(error));
    });
    const { status, retryAfterMs } = answered;
    if (status >= 500 || status === 429) throw new ReceiverFault(`HTTP ${status}`, retryAfterMs);
    return answered;
  };

  const receiverAt = (host: string): Receiver => {
    const receiver = receivers.get(host) ?? { breaker: createBreaker(attempt, breakerResetMs), cause: "" };
    receivers.delete(host);
    receivers.set(host, receiver);
    const [longestUnused] = receivers.keys();
    if (receivers.size > maxReceivers && longestUnused !== undefined) {
      receivers.get(longestUnused)?.breaker.shutdown();
      receivers.delete(longestUnused);
    }
    return receiver;
  };

  return {
    async send(message, signal) {
      const { host, hostname } = new URL(message.url);
      if (isRefusedHost(hostname, options)) return { kind: "failed", cause: addressRefused };
      const receiver = receiverAt(host);
      try {
        return toAnswer(await receiver.breaker.fire(message, withTimeout(timeoutMs, signal)));
      } catch (error) {
        if (!(error instanceof ReceiverFault)) return failed(receiver.cause || causeOf(error));
        receiver.cause = error.message;
        return failed(error.message, error.retryAfterMs);
      }
    },
    async stop() {
      for (const { breaker } of receivers.values()) breaker.shutdown();
      transport.stop();
    },
  };
}

function createBreaker(
  attempt: (message: HookMessage, signal: AbortSignal) => Promise<Answered>,
  resetTimeout: number,
) {
  return new CircuitBreaker(attempt, {
    timeout: false,
    resetTimeout,
    rollingCountTimeout: 30_000,
    volumeThreshold: 5,
    errorThresholdPercentage: 50,
  });
}

function toAnswer({ status, retryAfterMs }: Answered): HookAnswer {
  if (status >= 200 && status < 300) return { kind: "delivered" };
  return status === 410 ? { kind: "gone" } : failed(`HTTP ${status}`, retryAfterMs);
}

function failed(cause: string, retryAfterMs?: number): HookAnswer {
  return { kind: "failed", cause, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** The error's code, for the log: its message may have the URL. */
function causeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return toError(error).name;
}

/** Sends once. */
async function post(
  transport: HttpTransport,
  { id, url, at, body }: HookMessage,
  { secret, allowLinkLocal, signal }: HttpSenderOptions & { signal: AbortSignal },
): Promise<Answered> {
  const timestamp = Math.floor(at / 1_000);
  const answer = await transport.send({
    method: "POST",
    url: new URL(url),
    headers: {
      "content-type": "application/json",
      "user-agent": "drydock",
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      ...(secret === undefined ? {} : { "webhook-signature": signatureOf(secret, { id, timestamp, body }) }),
    },
    body,
    signal,
    rule: { allowLinkLocal },
  });
  await readSome(answer.body).catch(() => {});
  return { status: answer.status, retryAfterMs: readRetryAfter(answer.headers["retry-after"], at) };
}

async function readSome(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxReadBytes) return;
  }
}
