import { type CallOptions, type ChannelOptions, type Client, Metadata, type MethodDefinition } from "@grpc/grpc-js";
import { type Proxies, proxyForTarget } from "../proxies.ts";
import { type DecodedError, fromServiceError } from "./status.ts";

/** An RPC that failed, with what the server told about it. */
export class RpcError extends Error implements DecodedError {
  override readonly name = "RpcError";
  declare readonly code: DecodedError["code"];
  declare readonly reason?: string;
  declare readonly metadata: DecodedError["metadata"];
  declare readonly violations: DecodedError["violations"];
  declare readonly resource?: NonNullable<DecodedError["resource"]>;
  declare readonly precondition?: NonNullable<DecodedError["precondition"]>;
  declare readonly retryAfterMs?: number;
  declare readonly requestId?: string;

  constructor(decoded: DecodedError, options?: ErrorOptions) {
    super(decoded.message, options);
    Object.assign(this, decoded);
  }
}

/** An error of grpc-js as an RpcError. */
export function toRpcError(error: unknown): RpcError {
  return error instanceof RpcError ? error : new RpcError(fromServiceError(error), { cause: error });
}

export interface ChannelSettings {
  /** The largest message that is taken, in bytes. Default: 4 MiB. */
  maxReceiveBytes?: number;
  /** The largest message that is sent, in bytes. Default: 4 MiB, which is what our servers take. */
  maxSendBytes?: number;
}

const mebibyte = 1024 * 1024;

/**
 * How our clients keep their connections: pinged every 30 s (also when idle) and given up 10 s later, tried again after
 * 0.1 s to 5 s, spread over all addresses of a dns:/// target.
 */
export function createChannelOptions(settings: ChannelSettings = {}): ChannelOptions {
  const { maxReceiveBytes = 4 * mebibyte, maxSendBytes = 4 * mebibyte } = settings;
  return {
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc.dns_min_time_between_resolutions_ms": 5_000,
    "grpc.service_config_disable_resolution": 1,
    "grpc.max_receive_message_length": maxReceiveBytes,
    "grpc.max_send_message_length": maxSendBytes,
    // Proxies are ours to choose, by the rule that holds for HTTP too.
    "grpc.enable_http_proxy": 0,
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  };
}

/** What a client is made with to reach a target. */
export interface Route {
  /** The target, or the proxy in front of it. */
  address: string;
  options: ChannelOptions;
}

/** The way to a target, by a proxy or not. */
export function routeTo(target: string, proxies: Proxies, settings?: ChannelSettings): Route {
  const options = createChannelOptions(settings);
  const found = proxyForTarget(target, proxies);
  if (found === undefined) return { address: target, options };
  const { proxy, host } = found;
  const user = decodeURIComponent(`${proxy.username}:${proxy.password}`);
  return {
    address: `dns:${proxy.hostname}:${proxy.port || "80"}`,
    options: {
      ...options,
      "grpc.http_connect_target": `dns:${host}`,
      "grpc.default_authority": host,
      ...(user !== ":" && { "grpc.http_connect_creds": user }),
    },
  };
}

export interface CallSettings {
  /** How long the caller waits, in milliseconds. */
  deadlineMs?: number;
  /** Cancels the call when it aborts. */
  signal?: AbortSignal;
  /** The headers to send. */
  metadata?: Metadata;
}

/** A method of a generated service, e.g. JobServiceService.getJob. */
export type Method<Req, Res> = Pick<
  MethodDefinition<Req, Res>,
  "path" | "requestSerialize" | "responseDeserialize" | "requestStream" | "responseStream"
>;

export interface UnarySettings extends CallSettings {
  deadlineMs: number;
}

/**
 * Calls a unary method.
 * @throws RpcError when the call fails, the signal's reason when it aborts
 */
export function unaryCall<Req, Res>(
  client: Client,
  method: Method<Req, Res>,
  request: Req,
  settings: UnarySettings,
): Promise<Res> {
  const { signal, metadata = new Metadata() } = settings;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = method;
    const cancel = () => {
      call.cancel();
      reject(signal?.reason);
    };
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      callOptions(settings),
      (error, response) => {
        signal?.removeEventListener("abort", cancel);
        if (error !== null) reject(toRpcError(error));
        else if (response === undefined) reject(new Error(`${path} gave no response`));
        else resolve(response);
      },
    );
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

/**
 * Calls a server-streaming method; the messages are read no faster than they are taken. Leaving the loop cancels the call.
 * @throws RpcError when the call fails, the signal's reason when it aborts
 */
export async function* serverStreamCall<Req, Res>(
  client: Client,
  method: Method<Req, Res>,
  request: Req,
  settings: CallSettings = {},
): AsyncGenerator<Res, void, undefined> {
  const { signal, metadata = new Metadata() } = settings;
  signal?.throwIfAborted();
  const { path, requestSerialize, responseDeserialize } = method;
  const call = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    metadata,
    callOptions(settings),
  );
  const cancel = () => call.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  // A cancelled call still emits its error when nobody iterates any more.
  call.on("error", () => {});
  try {
    for await (const message of call) yield message;
  } catch (error) {
    throw signal?.aborted ? signal.reason : toRpcError(error);
  } finally {
    signal?.removeEventListener("abort", cancel);
    call.cancel();
  }
}

function callOptions({ deadlineMs }: CallSettings): CallOptions {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}
