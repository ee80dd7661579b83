import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { nowMs } from "../payload.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";

const concurrency = 100;

interface Drainer {
  name: string;
  side: Side;
  finished: "kept" | "removed";
}

/** Jobs that wait, run by one worker until all are done. */
export const drain: Measurement = { name: "drain", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const contenders: Drainer[] = [
    { name: "Drydock", side: sides.drydock, finished: "kept" },
    { name: "BullMQ kept", side: sides.bullmq, finished: "kept" },
    { name: "BullMQ removed", side: sides.bullmq, finished: "removed" },
  ];
  const rounds = await alternate(bench, { contenders, once: (drainer) => drainOnce(drainer, bench.sizes.drained) });
  const samples = rounds.of("Drydock", "perSecond");
  return [
    {
      what: `drain at concurrency ${concurrency}, finished jobs kept, jobs/s`,
      samples,
      beside: { samples: rounds.of("BullMQ kept", "perSecond") },
      target: { kind: "at-least-times", factor: 2 },
    },
    {
      what: `drain at concurrency ${concurrency}, BullMQ with removeOnComplete, jobs/s`,
      samples,
      beside: { samples: rounds.of("BullMQ removed", "perSecond") },
      target: { kind: "at-least-times", factor: 2 },
    },
    {
      what: "the same, finished jobs kept: cores in use",
      samples: rounds.of("Drydock", "cores"),
      beside: { samples: rounds.of("BullMQ kept", "cores") },
    },
  ];
}

/** From the first run to the last job's final status. */
async function drainOnce({ side, finished }: Drainer, jobs: number): Promise<{ perSecond: number; cores: number }> {
  await side.redis.probe.flush();
  await side.client.call("launchInBulk", jobs, 4);
  const [cpuBefore, begunAt] = [await side.cpuSeconds(), nowMs()];
  await side.worker.call("start", concurrency, finished);
  const endedAt = await side.client.call("untilDone");
  const cores = ((await side.cpuSeconds()) - cpuBefore) / ((nowMs() - begunAt) / 1000);
  await side.worker.call("stop");
  const { count, firstAt } = await side.worker.call("takeRuns");
  if (count !== jobs) throw new Error(`${side.name} ran ${count} jobs where ${jobs} were launched`);
  return { perSecond: (jobs / (endedAt - firstAt)) * 1000, cores };
}
