import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { nowMs } from "../payload.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";

const inFlight = 100;
const concurrency = 100;

/** Jobs that are run while they are launched. */
export const launchAndRun: Measurement = { name: "launch-and-run", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const rounds = await alternate(bench, {
    contenders: sides.both,
    once: (side) => launchAndRunOnce(side, bench.sizes.launches),
  });
  return [
    {
      what: `launch (${inFlight} in flight) and run at once, jobs/s`,
      samples: rounds.of("Drydock", "perSecond"),
      beside: { samples: rounds.of("BullMQ", "perSecond") },
      target: { kind: "at-least-times", factor: 2 },
    },
  ];
}

async function launchAndRunOnce({ redis, client, worker }: Side, jobs: number): Promise<{ perSecond: number }> {
  await redis.probe.flush();
  await worker.call("start", concurrency, "kept");
  const begunAt = nowMs();
  await client.call("launch", jobs, inFlight);
  const endedAt = await client.call("untilDone");
  await worker.call("stop");
  return { perSecond: (jobs / (endedAt - begunAt)) * 1000 };
}
