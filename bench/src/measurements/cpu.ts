import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";

const inFlight = 100;
const concurrency = 100;

/** The CPU time that a job costs over all processes of a side: a figure that busy neighbours disturb least. */
export const cpu: Measurement = { name: "cpu", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const { launches, drained } = bench.sizes;
  const rounds = await alternate(bench, {
    contenders: sides.both,
    once: async (side) => ({
      single: await costOf(side, launches, () => side.client.call("launch", launches, inFlight)),
      bulk: await costOf(side, drained, () => side.client.call("launchInBulk", drained, 1)),
      drain: await costOf(side, launches + drained, () => runAll(side)),
    }),
  });
  const row = (what: string, figure: "single" | "bulk" | "drain"): Row => ({
    what: `CPU of all processes for each job, µs: ${what}`,
    samples: rounds.of("Drydock", figure),
    beside: { samples: rounds.of("BullMQ", figure) },
  });
  return [row("launched alone", "single"), row("launched in bulk", "bulk"), row("run", "drain")];
}

/** In microseconds a job. */
async function costOf(side: Side, jobs: number, work: () => Promise<unknown>): Promise<number> {
  const before = await side.cpuSeconds();
  await work();
  return (((await side.cpuSeconds()) - before) / jobs) * 1e6;
}

async function runAll({ client, worker, redis }: Side): Promise<void> {
  await worker.call("start", concurrency, "kept");
  await client.call("untilDone");
  await worker.call("stop");
  await redis.probe.flush();
}
