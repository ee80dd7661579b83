import { status as StatusCode } from "@grpc/grpc-js";
import type { Counter, Histogram } from "prom-client";
import type { Metrics } from "../metrics.ts";
import type { StatusCodeName } from "./status.ts";

const labels = ["grpc_type", "grpc_service", "grpc_method"] as const;
type Label = (typeof labels)[number];

/** The metrics of a gRPC server, under the names that dashboards know from go-grpc-prometheus. */
export interface ServerMetrics {
  started: Counter<Label>;
  handled: Counter<Label | "grpc_code">;
  seconds: Histogram<Label>;
}

export function createServerMetrics(metrics: Metrics): ServerMetrics {
  return {
    started: metrics.counter({ name: "grpc_server_started_total", help: "RPCs that started.", labels }),
    handled: metrics.counter({
      name: "grpc_server_handled_total",
      help: "RPCs that were answered, by status.",
      labels: [...labels, "grpc_code"],
    }),
    seconds: metrics.histogram({
      name: "grpc_server_handling_seconds",
      help: "Time from the start of an RPC to its answer, in seconds.",
      labels,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    }),
  };
}

/** What a method counts. Its series exist from the start, so that rates are right from the first call on. */
export interface MethodMetrics {
  started(): void;
  handled(code: StatusCodeName, seconds: number): void;
}

export function methodMetrics(metrics: ServerMetrics, path: string, type: string): MethodMetrics {
  const [, service = "", method = ""] = path.split("/");
  const names = { grpc_type: type, grpc_service: service, grpc_method: method };
  const started = metrics.started.labels(names);
  const seconds = metrics.seconds.labels(names);
  const handled = new Map(
    codeNames.map((code) => [code, metrics.handled.labels({ ...names, grpc_code: titleCase(code) })]),
  );
  started.inc(0);
  metrics.seconds.zero(names);
  for (const counter of handled.values()) counter.inc(0);
  return {
    started: () => started.inc(),
    handled: (code, value) => {
      handled.get(code)?.inc();
      seconds.observe(value);
    },
  };
}

const codeNames = Object.keys(StatusCode).filter((key): key is StatusCodeName => Number.isNaN(Number(key)));

/** NOT_FOUND → NotFound, as Go writes it; OK stays. */
function titleCase(code: StatusCodeName): string {
  if (code === "OK") return code;
  return code
    .toLowerCase()
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
