import { BoundedLog } from "../bounded-log.ts";
import type { Logger } from "../logger.ts";
import type { CallOutcome, CallScope, EndableCall } from "./call-scope.ts";
import { methodMetrics, type ServerMetrics } from "./server-metrics.ts";

/** The calls that a server runs: makes a scope for each method and ends calls. */
export interface ServerScopes {
  forMethod(path: string, type: MethodType): CallScope;
  /** Ends every stream, and each that opens from now on. */
  endStreams(error: unknown): void;
  /** Ends every call that is not answered. */
  endAll(error: unknown): void;
  /** Resolves when no handler runs; to be called when no new ones come. */
  idle(): Promise<void>;
}

/** The kinds of methods, as Prometheus dashboards for gRPC name them. */
export type MethodType = "unary" | "client_stream" | "server_stream" | "bidi_stream";

/** Makes the scopes of a server: access log at level debug, internal errors at level error, metrics if there are some. */
export function createServerScopes(logger: Logger, metrics: ServerMetrics | undefined): ServerScopes {
  const streams = new Set<EndableCall>();
  const unaries = new Set<EndableCall>();
  const whenIdle = Promise.withResolvers<void>();
  let isIdleAwaited = false;
  let ending: { error: unknown } | undefined;
  const checkIdle = () => {
    if (isIdleAwaited && streams.size + unaries.size === 0) whenIdle.resolve();
  };
  const log = logCalls(logger);
  return {
    forMethod: (path, type) => {
      const counted = metrics === undefined ? undefined : methodMetrics(metrics, path, type);
      const calls = type === "unary" ? unaries : streams;
      return {
        begin: (call) => {
          counted?.started();
          calls.add(call);
          if (ending !== undefined && calls === streams) endSoon(call, ending.error);
          return performance.now();
        },
        answered: (outcome) => {
          const seconds = (performance.now() - outcome.startedAt) / 1000;
          counted?.handled(outcome.code, seconds);
          log(path, outcome, seconds);
        },
        left: (call) => {
          calls.delete(call);
          checkIdle();
        },
      };
    },
    endStreams: (error) => {
      ending = { error };
      for (const call of streams) call.abort(error);
    },
    endAll: (error) => {
      for (const call of [...streams, ...unaries]) call.abort(error);
    },
    idle: () => {
      isIdleAwaited = true;
      checkIdle();
      return whenIdle.promise;
    },
  };
}

/** A call that begins is not wired up yet: it is ended right after. */
function endSoon(call: EndableCall, error: unknown): void {
  queueMicrotask(() => call.abort(error));
}

function logCalls(logger: Logger) {
  const failures = new BoundedLog(logger);
  return (method: string, { code, call, cause }: CallOutcome, seconds: number): void => {
    if (code === "INTERNAL") {
      failures.error({ method, requestId: call.requestId, err: cause }, "call failed");
    } else if (logger.isLevelEnabled("debug")) {
      const ms = Math.round(seconds * 10_000) / 10;
      logger.debug({ method, code, ms, peer: call.peer, requestId: call.requestId, err: cause }, "call");
    }
  };
}
