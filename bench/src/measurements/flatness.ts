import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides, type Sides } from "../stack/sides.ts";
import { median } from "../statistics.ts";

/** Launches over all rounds at each depth. */
const launches = 1_000;
/** Jobs that are read and stopped with the queue at its deepest. */
const touched = 20;
const workMs = 1_000;
const concurrency = 100;

/** Whether a launch costs the same however many jobs wait, and how long the slowest script takes then. */
export const flatness: Measurement = { name: "flatness", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const rows: Row[] = [];
  let first: readonly number[] | undefined;
  let depth = 0;
  for (const next of bench.sizes.depths) {
    await deepen(bench, sides, Math.max(next - depth, 0));
    depth = next + launches;
    const row = await timeLaunches(bench, sides, next);
    rows.push(row);
    first ??= row.samples;
  }
  const deepest = bench.sizes.depths.at(-1) ?? 0;
  const last = rows.at(-1)?.samples ?? [];
  const flat: Row = {
    what: `the same with ${format(deepest)} waiting, beside none waiting`,
    samples: last,
    beside: { name: "none waiting", samples: first ?? [] },
    target: { kind: "at-most-times", factor: 1.5 },
  };
  return [...rows, flat, await slowestScripts(bench, sides, deepest)];
}

async function deepen({ say }: Bench, { both }: Sides, jobs: number): Promise<void> {
  for (const { name, client, redis } of both) {
    say(`${format(jobs)} more jobs wait, ${name}`);
    await client.call("launchInBulk", jobs, 4);
    await redis.probe.watchScripts();
  }
}

async function timeLaunches(bench: Bench, { both }: Sides, depth: number): Promise<Row> {
  const count = Math.ceil(launches / bench.sizes.rounds);
  const rounds = await alternate(bench, {
    contenders: both,
    once: async ({ client }) => ({ p50: median(await client.call("launchInTurn", count)) }),
    warmUp: depth === 0,
  });
  return {
    what: `one launch with ${format(depth)} jobs waiting, p50, ms`,
    samples: rounds.of("Drydock", "p50"),
    beside: { samples: rounds.of("BullMQ", "p50") },
  };
}

/** The slowest of everything that is done to a deep queue: launches, reads, stops, and a worker that takes from it. */
async function slowestScripts({ say }: Bench, { both }: Sides, depth: number): Promise<Row> {
  for (const { name, client, worker } of both) {
    say(`everything else with a deep queue, ${name}`);
    await client.call("readAndStop", touched);
    await worker.call("start", concurrency, "kept");
    await sleep(workMs);
    await worker.call("stop");
  }
  const [drydock, bullmq] = await Promise.all(both.map(({ redis }: Side) => redis.probe.slowestScript()));
  return {
    what: `slowest script with ${format(depth)} jobs waiting, ms`,
    samples: [drydock ?? Number.NaN],
    beside: { samples: [bullmq ?? Number.NaN] },
    target: { kind: "at-most", value: 5 },
  };
}

function format(count: number): string {
  return count.toLocaleString("en-US");
}
