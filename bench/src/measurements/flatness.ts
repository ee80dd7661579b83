import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { alternate, type Rounds } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides, type Sides } from "../stack/sides.ts";
import { median } from "../statistics.ts";

/** Launches over all rounds at each depth. */
const launches = 1_000;
/** Jobs that are read and stopped in each round. */
const touched = 20;
const workMs = 1_000;
const concurrency = 100;
/** Shallower queues are empty before the worker has warmed up. */
const leastToRun = 10_000;

const calls = ["launch", "read", "list", "stop"] as const;
type Call = (typeof calls)[number];

interface AtDepth {
  depth: number;
  rounds: Rounds<Call>;
  /** Jobs that a worker ran in a second, of Drydock and of BullMQ; undefined where too few wait. */
  ran: [number, number] | undefined;
}

/** Whether each operation costs the same however many jobs wait, and how long the slowest script takes then. */
export const flatness: Measurement = { name: "flatness", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const looks: AtDepth[] = [];
  let waiting: [number, number] = [0, 0];
  for (const depth of bench.sizes.depths) {
    const next = await lookAt(bench, sides, { depth, waiting });
    looks.push(next);
    const [ours = 0, theirs = 0] = next.ran ?? [];
    waiting = [depth + launches - ours, depth + launches - theirs];
  }
  const slowest = await Promise.all(sides.both.map(({ redis }) => redis.probe.slowestScript()));
  return [...looks.map(toLaunchRow), ...toFlatRows(looks), toSlowestRow(looks, slowest)];
}

/** Fills both queues to the depth and does everything to them; scripts are watched from the fill on. */
async function lookAt(
  bench: Bench,
  { both }: Sides,
  { depth, waiting }: { depth: number; waiting: [number, number] },
): Promise<AtDepth> {
  for (const [at, { name, client, redis }] of both.entries()) {
    bench.say(`until ${format(depth)} jobs wait, ${name}`);
    await redis.probe.watchScripts();
    // at least one call, for something to touch
    if (depth > 0) await client.call("launchInBulk", Math.max(depth - (waiting[at] ?? 0), 1), 4);
  }
  const rounds = await alternate(bench, {
    contenders: both,
    once: ({ client }) => timeCalls(client, Math.ceil(launches / bench.sizes.rounds), depth > 0 ? touched : 0),
    warmUp: depth === 0,
  });
  if (depth < leastToRun) return { depth, rounds, ran: undefined };
  const [ours, theirs] = both;
  return { depth, rounds, ran: [await work(bench, ours), await work(bench, theirs)] };
}

/** Not a number where there was nothing to touch. */
async function timeCalls(client: Side["client"], count: number, touches: number): Promise<Record<Call, number>> {
  const launch = await client.call("launchInTurn", count);
  const { read, list, stop } = await client.call("touch", touches);
  const p50 = (times: number[]) => (times.length === 0 ? Number.NaN : median(times));
  return { launch: p50(launch), read: p50(read), list: p50(list), stop: p50(stop) };
}

/** Lets a worker take from the queue; resolves to how many jobs it ran. */
async function work({ say }: Bench, { name, worker }: Side): Promise<number> {
  say(`a worker takes from a deep queue, ${name}`);
  await worker.call("start", concurrency, "kept");
  await sleep(workMs);
  await worker.call("stop");
  return (await worker.call("takeRuns")).count;
}

function toLaunchRow({ depth, rounds }: AtDepth): Row {
  return {
    what: `one launch with ${format(depth)} jobs waiting, p50, ms`,
    samples: rounds.of("Drydock", "launch"),
    beside: { samples: rounds.of("BullMQ", "launch") },
  };
}

/** Each operation at the greatest depth, beside the same at the least depth that there is something to do it to. */
function toFlatRows(looks: readonly AtDepth[]): Row[] {
  const [shallow, deep] = [looks.find(({ depth }) => depth > 0), looks.at(-1)];
  const running = looks.filter(({ ran }) => ran !== undefined);
  const [firstRun, lastRun] = [running.at(0), running.at(-1)];
  const rows: Row[] = [];
  if (shallow !== undefined && deep !== undefined && shallow !== deep) {
    for (const call of calls) {
      rows.push({
        what: `one ${call} with ${format(deep.depth)} jobs waiting, p50, ms`,
        samples: deep.rounds.of("Drydock", call),
        beside: { name: `with ${format(shallow.depth)}`, samples: shallow.rounds.of("Drydock", call) },
        target: { kind: "at-most-times", factor: 1.5 },
      });
    }
  }
  if (firstRun !== undefined && lastRun !== undefined && firstRun !== lastRun) {
    rows.push({
      what: `jobs run in the first second with ${format(lastRun.depth)} waiting`,
      samples: lastRun.ran?.slice(0, 1) ?? [],
      beside: { name: `with ${format(firstRun.depth)}`, samples: firstRun.ran?.slice(0, 1) ?? [] },
      target: { kind: "at-least-times", factor: 0.67 },
    });
  }
  return rows;
}

function toSlowestRow(looks: readonly AtDepth[], [ours = Number.NaN, theirs = Number.NaN]: number[]): Row {
  return {
    what: `slowest script with ${format(looks.at(-1)?.depth ?? 0)} jobs waiting, ms`,
    samples: [ours],
    beside: { samples: [theirs] },
    target: { kind: "at-most", value: 5 },
  };
}

function format(count: number): string {
  return count.toLocaleString("en-US");
}
