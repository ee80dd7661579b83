import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";

const concurrency = 100;

/** What a job costs of Redis' memory; the same each time, so it is measured once. */
export const memory: Measurement = { name: "memory", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const drydock = await measure(bench, sides.drydock);
  const bullmq = await measure(bench, sides.bullmq);
  const jobs = bench.sizes.remembered.toLocaleString("en-US");
  const row = (what: string, state: "waiting" | "finished", value: number): Row => ({
    what: `Redis memory for each of ${jobs} ${what} jobs, bytes`,
    samples: [drydock[state]],
    beside: { samples: [bullmq[state]] },
    target: { kind: "at-most", value },
  });
  return [row("waiting", "waiting", 450), row("finished, kept", "finished", 500)];
}

async function measure({ sizes: { remembered }, say }: Bench, { name, redis, client, worker }: Side) {
  say(`${name}, waiting jobs`);
  // makes the queue known and its scripts loaded, which is no job's cost
  await worker.call("start", concurrency, "kept");
  await client.call("launchInBulk", 1_000, 4);
  await client.call("untilDone");
  await worker.call("stop");
  const before = await redis.probe.usedMemory();
  await client.call("launchInBulk", remembered, 4);
  const waiting = ((await redis.probe.usedMemory()) - before) / remembered;
  say(`${name}, finished jobs`);
  await worker.call("start", concurrency, "kept");
  await client.call("untilDone");
  await worker.call("stop");
  const finished = ((await redis.probe.usedMemory()) - before) / remembered;
  return { waiting, finished };
}
