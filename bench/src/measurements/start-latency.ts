import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";
import { percentile } from "../statistics.ts";

const perSecond = 300;
const concurrency = 100;

/** From the client's call to the first line of the handler, at a steady rate. */
export const startLatency: Measurement = { name: "start-latency", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  for (const { worker } of sides.both) await worker.call("start", concurrency, "kept");
  const rounds = await alternate(bench, {
    contenders: sides.both,
    once: (side) => launchSteadily(side, bench.sizes.steadySeconds),
  });
  const row = (figure: "p50" | "p99", value: number): Row => ({
    what: `launch to handler at ${perSecond} jobs/s, ${figure}, ms`,
    samples: rounds.of("Drydock", figure),
    beside: { samples: rounds.of("BullMQ", figure) },
    target: { kind: "at-most", value },
  });
  return [row("p50", 2), row("p99", 8)];
}

async function launchSteadily({ client, worker }: Side, seconds: number): Promise<{ p50: number; p99: number }> {
  await client.call("launchSteadily", perSecond, seconds);
  await client.call("untilDone");
  const { delays } = await worker.call("takeRuns");
  return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) };
}
