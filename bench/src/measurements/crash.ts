import { sleep } from "@drydock/shared/abort.ts";
import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import { nowMs } from "../payload.ts";
import type { WorkerApi } from "../processes/api.ts";
import type { Row } from "../row.ts";
import type { Remote } from "../stack/remote.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";

const jobs = 10;
const concurrency = 20;
/** A controller takes no lease back before it has been there for one lease, 15 s. */
const firstReapMs = 16_000;
const pollMs = 20;
/** Jobs that do not run again by then have been lost. */
const timeLimitMs = 120_000;

/** How long after a worker's kill -9 its jobs run again. */
export const crash: Measurement = { name: "crash", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  // BullMQ waits for half a minute at least, and does next to nothing meanwhile: both wait at once
  const [theirs, ours] = await Promise.all([peerRound(bench, sides.bullmq), ourRounds(bench, sides.drydock)]);
  return [
    {
      what: "kill -9 with another worker there, s until the jobs run again",
      samples: ours.elsewhere,
      ...(theirs === undefined ? {} : { beside: { samples: [theirs] } }),
      target: { kind: "at-most", value: 6 },
    },
    {
      what: "kill -9 and the same worker id comes back, s from its connecting",
      samples: ours.sameWorker,
      target: { kind: "at-most", value: 1 },
    },
  ];
}

async function peerRound(bench: Bench, side: Side): Promise<number | undefined> {
  return bench.sizes.peerCrash ? await rerunElsewhere(bench, side, "peer") : undefined;
}

async function ourRounds(bench: Bench, side: Side): Promise<{ elsewhere: number[]; sameWorker: number[] }> {
  const elsewhere: number[] = [];
  const sameWorker: number[] = [];
  bench.say("waiting until the new controller takes leases back");
  await sleep(firstReapMs, bench.signal);
  for (let round = 1; round <= bench.sizes.rounds; round++) {
    bench.say(`round ${round} of ${bench.sizes.rounds}, another worker`);
    elsewhere.push(await rerunElsewhere(bench, side, `first-${round}`));
    bench.say(`round ${round} of ${bench.sizes.rounds}, the same worker`);
    sameWorker.push(await rerunBySameWorker(bench, side, `same-${round}`));
  }
  return { elsewhere, sameWorker };
}

async function rerunElsewhere(bench: Bench, side: Side, id: string): Promise<number> {
  const doomed = await startWithJobs(bench, side, id);
  const other = await side.addWorker(`${id}-other`);
  await other.call("start", concurrency, "kept");
  const killedAt = nowMs();
  await doomed.kill();
  const rerunAt = await untilAllRun(bench, other);
  await other.kill();
  await side.redis.probe.flush();
  return (rerunAt - killedAt) / 1000;
}

async function rerunBySameWorker(bench: Bench, side: Side, id: string): Promise<number> {
  const doomed = await startWithJobs(bench, side, id);
  await doomed.kill();
  const again = await side.addWorker(id);
  const startedAt = nowMs();
  await again.call("start", concurrency, "kept");
  const rerunAt = await untilAllRun(bench, again);
  await again.kill();
  await side.redis.probe.flush();
  return (rerunAt - startedAt) / 1000;
}

/** A worker that holds all the jobs. */
async function startWithJobs(bench: Bench, side: Side, id: string): Promise<Remote<WorkerApi>> {
  const worker = await side.addWorker(id);
  await worker.call("start", concurrency, "kept");
  await side.client.call("launchHeld", jobs);
  await untilAllRun(bench, worker);
  return worker;
}

/** When the worker began the last of the jobs. */
async function untilAllRun({ signal }: Bench, worker: Remote<WorkerApi>): Promise<number> {
  const giveUpAt = nowMs() + timeLimitMs;
  for (let begun = 0; nowMs() < giveUpAt; await sleep(pollMs, signal)) {
    const { count, lastAt } = await worker.call("takeRuns");
    begun += count;
    if (begun >= jobs) return lastAt;
  }
  throw new Error(`not all of ${jobs} jobs ran within ${timeLimitMs} ms`);
}
