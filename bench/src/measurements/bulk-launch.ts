import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import { openSides } from "../stack/sides.ts";

const callsInFlight = 1;

/** LaunchJobs with 1,000 jobs a call, beside BullMQ's addBulk. */
export const bulkLaunch: Measurement = { name: "bulk-launch", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const jobs = bench.sizes.drained;
  const rounds = await alternate(bench, {
    contenders: sides.both,
    once: async ({ redis, client }) => {
      await redis.probe.flush();
      return { perSecond: jobs / (await client.call("launchInBulk", jobs, callsInFlight)) };
    },
  });
  return [
    {
      what: "LaunchJobs, 1,000 a call, one call in flight, jobs/s",
      samples: rounds.of("Drydock", "perSecond"),
      beside: { samples: rounds.of("BullMQ", "perSecond") },
      target: { kind: "at-least-times", factor: 1.5 },
    },
  ];
}
