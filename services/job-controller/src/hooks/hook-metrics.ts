import type { Metrics } from "@drydock/shared/metrics.ts";
import type { HookOutbox, HookSettlement } from "../ports/hook-outbox.ts";

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Registers the metrics of status hooks; returns what to call after each try. Waiting jobs are counted at each scrape. */
export function createHookMetrics(
  metrics: Metrics,
  outbox: Pick<HookOutbox, "counts">,
): (kind: HookSettlement["kind"], seconds: number, delaySeconds: number) => void {
  const tries = metrics.counter({
    name: "drydock_hook_tries_total",
    help: "Attempts to deliver an event to a status hook, by outcome.",
    labels: ["outcome"],
  });
  for (const outcome of ["delivered", "retry", "failed", "gone"]) tries.inc({ outcome }, 0);
  const seconds = metrics.histogram({
    name: "drydock_hook_try_seconds",
    help: "Time from sending an event to the receiver's answer, in seconds.",
    buckets,
  });
  const delay = metrics.gauge({
    name: "drydock_hook_delay_seconds",
    help: "How long after its event the latest delivery was taken, in seconds.",
  });
  const jobs = metrics.gauge({
    name: "drydock_hook_jobs",
    help: "Jobs with an event that their status hook has not been sent yet (waiting), with one that is retried after a failure (retrying), with a hook that ListFailedHooks lists (failing).",
    labels: ["state"],
    collect: async (gauge) => {
      const counts = await outbox.counts().catch(() => undefined);
      if (counts === undefined) gauge.reset();
      else for (const [state, count] of Object.entries(counts)) gauge.set({ state }, count);
    },
  });
  jobs.reset();
  return (outcome, took, delaySeconds) => {
    tries.inc({ outcome });
    seconds.observe(took);
    if (outcome === "delivered") delay.set(delaySeconds);
  };
}
