import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  type HealthServer,
} from "../../gen/grpc/health/v1/health.ts";
import type { CallContext } from "./call-context.ts";
import { serverStream, unary } from "./handler.ts";
import { StandardError } from "./status.ts";

/** Whether the process and each of its gRPC services can do their work. The name "" stands for the whole process. */
export interface HealthState {
  /** Makes the name known; NOT_SERVING unless it was set before. */
  register(service: string): void;
  set(service: string, serving: boolean): void;
  /** Sets every known name, "" included. */
  setAll(serving: boolean): void;
  /** Undefined when the name is not known. */
  get(service: string): boolean | undefined;
  /** Every known name. */
  all(): ReadonlyMap<string, boolean>;
  /** Calls the listener after each change until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** Sets every name to not serving, for good. */
  shutdown(): void;
}

/** Makes a state in which only "" is known, and not serving. */
export function createHealthState(): HealthState {
  const serving = new Map([["", false]]);
  const listeners = new Set<() => void>();
  let isDown = false;
  const change = (names: Iterable<string>, value: boolean) => {
    if (isDown) return;
    for (const name of names) serving.set(name, value);
    for (const listener of listeners) listener();
  };
  return {
    register: (service) => {
      if (!serving.has(service)) change([service], false);
    },
    set: (service, value) => change([service], value),
    setAll: (value) => change([...serving.keys()], value),
    get: (service) => serving.get(service),
    all: () => serving,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    shutdown: () => {
      change([...serving.keys()], false);
      isDown = true;
    },
  };
}

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

/** grpc.health.v1 over the state (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). */
export function healthService(state: HealthState): HealthServer {
  const answer = (serving: boolean | undefined): HealthCheckResponse => ({
    status: serving === undefined ? SERVICE_UNKNOWN : serving ? SERVING : NOT_SERVING,
  });
  return {
    check: unary(async ({ service }) => {
      const serving = state.get(service);
      if (serving === undefined) throw new StandardError("NOT_FOUND", `unknown service "${service}"`);
      return answer(serving);
    }),
    list: unary(async () => ({
      statuses: Object.fromEntries([...state.all()].map(([name, serving]) => [name, answer(serving)])),
    })),
    watch: serverStream(async function* ({ service }, { signal }: CallContext) {
      let sent: boolean | undefined | null = null;
      while (true) {
        const changed = nextChange(state, signal);
        const serving = state.get(service);
        if (serving !== sent) yield answer(serving);
        sent = serving;
        await changed;
      }
    }),
  };
}

/** Resolves after the next change; rejects when the signal aborts. */
function nextChange(state: HealthState, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal.reason);
  const forget = state.onChange(resolve);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const settled = promise.finally(() => {
    forget();
    signal.removeEventListener("abort", stop);
  });
  settled.catch(() => {});
  return settled;
}
