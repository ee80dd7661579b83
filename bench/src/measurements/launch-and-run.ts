import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { nowMs } from "../payload.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";

const inFlight = 100;
const concurrency = 100;

/** Launches jobs; resolves to how many. */
type Launching = (side: Side) => Promise<number>;

/** Jobs that are run while they are launched. */
export const launchAndRun: Measurement = { name: "launch-and-run", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const measure = (launch: Launching) =>
    alternate(bench, { contenders: sides.both, once: (side) => launchAndRunOnce(side, launch) });
  const { launches, drained } = bench.sizes;
  const single = await measure(({ client }) => client.call("launch", launches, inFlight).then(() => launches));
  const inBulk = await measure(({ client }) => client.call("launchInBulk", drained, 1).then(() => drained));
  const row = (how: string, rounds: typeof single): Row => ({
    what: `launch and run at once, ${how}, jobs/s`,
    samples: rounds.of("Drydock", "perSecond"),
    beside: { samples: rounds.of("BullMQ", "perSecond") },
  });
  return [
    row(`one by one, ${inFlight} in flight`, single),
    { ...row("1,000 a call", inBulk), target: { kind: "at-least-times", factor: 2 } },
  ];
}

async function launchAndRunOnce(side: Side, launch: Launching): Promise<{ perSecond: number }> {
  const { redis, client, worker } = side;
  await redis.probe.flush();
  await worker.call("start", concurrency, "kept");
  const begunAt = nowMs();
  const jobs = await launch(side);
  const endedAt = await client.call("untilDone");
  await worker.call("stop");
  return { perSecond: (jobs / (endedAt - begunAt)) * 1000 };
}
