import { setTimeout as wait } from "node:timers/promises";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import type { Crew } from "./failure-crew.ts";
import type { Sighting } from "./history-record.ts";
import type { HistoryRecorder } from "./history-recorder.ts";
import type { Keeper } from "./keeper.ts";
import type { Random } from "./random.ts";
import type { Controller, Settings, Stack } from "./stack.ts";
import { until } from "./until.ts";

/** What is lost, and for how long losses go on. */
export interface LossOptions {
  stack: Stack;
  controllers: readonly [Controller, Controller];
  /** Settings of the controllers, besides their addresses. */
  controllerSettings: Settings;
  crew: Crew;
  keeper: Keeper;
  /** Settings of the workers. */
  settings: Settings;
  random: Random;
  /** Sees what is lost, and launches what the losses need. */
  recorder: HistoryRecorder;
  forMs: number;
}

/** Kills one of the two controllers at random moments and starts it again; resolves to how often. */
export async function loseControllers(options: LossOptions): Promise<number> {
  const { stack, controllers, controllerSettings, random, recorder, forMs } = options;
  const running = controllers.map(({ process, address }) => ({ process, address }));
  const end = performance.now() + forMs;
  let losses = 0;
  while (performance.now() < end) {
    await wait(random.below(1_000));
    const lost = running[random.below(2)] ?? running[0];
    if (lost === undefined) break;
    recorder.history.controllerLosses.push(performance.now());
    await lost.process.kill();
    losses++;
    await wait(random.below(500));
    const settings = { ...controllerSettings, DRYDOCK_LISTEN: lost.address };
    lost.process = (await stack.startController(settings)).process;
  }
  return losses;
}

/** Longer than a lease, a round of the reaper and the wait for a slot on a busy machine. */
const longestSilenceMs = 30_000;
/** A job that says nothing before its end. */
const stillJob = { name: "DEMO", parameters: { image: "demo", steps: 1, step_ms: 4_000 } };

/**
 * Lets a worker sleep in the middle of a job until another one runs it: it wakes with the result of a run that it lost,
 * during the next run.
 */
async function silence(workerId: string, worker: RunningProcess, recorder: HistoryRecorder): Promise<void> {
  const ids: string[] = [];
  const newest = () => ids.map((id) => recorder.history.jobs.get(id)?.sightings.at(-1));
  const isHere = (sighting: Sighting | undefined) =>
    sighting?.status === "RUNNING" && sighting.facts.workerId === workerId;
  const launchMore = async () => {
    if (!newest().some(isHere)) ids.push((await recorder.launch(stillJob)).id);
    return newest().findIndex(isHere);
  };
  const patience = { withinMs: longestSilenceMs, everyMs: 100 };
  const at = await until("it runs such a job", launchMore, (found) => found >= 0, patience);
  worker.signal("SIGSTOP");
  // it may also have ended just before
  const isPassedOn = (sighting: Sighting | undefined) =>
    sighting !== undefined && !isHere(sighting) && sighting.status !== "PENDING";
  await until("another one runs it", () => newest()[at], isPassedOn, { ...patience, everyMs: 5 });
  worker.signal("SIGCONT");
}

/** Kills workers of the crew at random moments and starts others, and lets some sleep for longer than their leases. */
export async function loseWorkers(options: LossOptions): Promise<number> {
  const { controllers, crew, keeper, settings, random, recorder, forMs } = options;
  const [home] = controllers;
  recorder.history.hasWorkerLosses = true;
  const end = performance.now() + forMs;
  const sleep = async (id: string) => {
    const sleeper = await crew.hire(id, home, settings);
    await wait(random.below(2_000));
    await silence(id, sleeper, recorder);
  };
  let losses = 0;
  const kill = async (id: string) => {
    while (performance.now() < end) {
      await wait(300 + random.below(1_500));
      await crew.lose(id);
      losses++;
      // back under its id before its lease ends, or after
      await wait(random.percent(60) ? 0 : 6_500);
      await crew.hire(id, home, settings);
    }
  };
  const killKeeper = async () => {
    while (performance.now() < end) {
      await wait(500 + random.below(1_500));
      await keeper.kill();
      losses++;
      await keeper.start();
    }
  };
  await Promise.all([sleep("sleeper-1"), sleep("sleeper-2"), kill("a"), kill("b"), killKeeper()]);
  return losses;
}

/** Kills Redis, or lets it stand still for some seconds, at random moments, and lets it go on. */
export async function loseRedis({ stack: { redis }, random, recorder, forMs }: LossOptions): Promise<number> {
  recorder.history.hasRedisLosses = true;
  const end = performance.now() + forMs;
  let losses = 0;
  for (; performance.now() < end; losses++) {
    await wait(500 + random.below(3_000));
    if (random.percent(50)) {
      redis.process.signal("SIGSTOP");
      await wait(random.below(5_000));
      redis.process.signal("SIGCONT");
    } else {
      await redis.crash();
      await wait(random.below(2_000));
      await redis.resume();
    }
  }
  return losses;
}
