import type { Clock } from "@drydock/shared/clock.ts";
import type { Metrics } from "@drydock/shared/metrics.ts";
import { listMovingQueues, type MovingQueue, type StatusDeps } from "./check-status.ts";

/** What the metrics need. */
export interface QueueMetricsDeps extends Pick<StatusDeps, "pool" | "queues" | "types" | "redis"> {
  clock: Clock;
}

/** What operators see of the queues; read when somebody asks, and gone while Redis is away. */
export function addQueueMetrics(metrics: Metrics, deps: QueueMetricsDeps): void {
  const { clock } = deps;
  const read = shared(async () => (deps.redis.up ? listMovingQueues(deps).catch(() => []) : []));
  const gauge = <Label extends string>(
    { name, help, label }: { name: string; help: string; label: Label },
    values: (queue: MovingQueue) => Record<string, number>,
  ) =>
    metrics.gauge<"job" | Label>({
      ...{ name, help, labels: ["job", label] },
      collect: async (gauge) => {
        const queues = await read();
        gauge.reset();
        for (const queue of queues) {
          for (const [value, number] of Object.entries(values(queue))) {
            gauge.set({ job: queue.name, [label]: value } as Record<"job" | Label, string>, number);
          }
        }
      },
    });
  gauge(
    { name: "drydock_queue_jobs", help: "Jobs that wait for their time, wait for a slot, and run.", label: "status" },
    ({ scheduled, pending, running }) => ({ scheduled, pending, running }),
  );
  gauge(
    {
      name: "drydock_queue_jobs_per_minute",
      help: "How many jobs a minute were launched, and ended, over the last one to two minutes.",
      label: "event",
    },
    ({ launchedPerMinute, endedPerMinute }) => ({ launched: launchedPerMinute, ended: endedPerMinute }),
  );
  gauge(
    {
      name: "drydock_queue_oldest_seconds",
      help: "How long the oldest of the next jobs has waited, in seconds.",
      label: "status",
    },
    ({ oldestAt }) => ({ pending: oldestAt === 0 ? 0 : Math.max(0, clock.now() - oldestAt) / 1000 }),
  );
  metrics.gauge({
    name: "drydock_closed_workers",
    help: "Workers that know a job type and take no jobs of it for now, by what they wait for.",
    labels: ["job", "reason"],
    collect: async (gauge) => {
      const capacities = deps.redis.up ? await deps.pool.capacities().catch(() => undefined) : undefined;
      gauge.reset();
      for (const [job, { closed }] of capacities ?? []) for (const { reason } of closed) gauge.inc({ job, reason });
    },
  });
}

/** Counts the jobs that workers gave back unstarted; gives what is to be called for each. */
export function addRejectMetric(metrics: Metrics): (jobName: string) => void {
  const rejects = metrics.counter({
    name: "drydock_rejected_jobs_total",
    help: "Jobs that workers gave back unstarted.",
    labels: ["job"],
  });
  return (job) => rejects.inc({ job });
}

/** Callers that ask during a read share its result. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
