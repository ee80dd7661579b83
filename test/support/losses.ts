import { setTimeout as wait } from "node:timers/promises";
import type { Crew } from "./failure-crew.ts";
import type { History } from "./job-history.ts";
import type { Random } from "./random.ts";
import type { Controller, Settings, Stack } from "./stack.ts";

/** What is lost, and for how long losses go on. */
export interface LossOptions {
  stack: Stack;
  controllers: readonly [Controller, Controller];
  /** Of the controllers, beside where they listen. */
  controllerSettings: Settings;
  crew: Crew;
  /** Of the workers. */
  settings: Settings;
  random: Random;
  history: History;
  forMs: number;
}

/** Kills one of the two controllers at random moments and starts it again; resolves to how often. */
export async function loseControllers(options: LossOptions): Promise<number> {
  const { stack, controllers, controllerSettings, random, history, forMs } = options;
  const running = controllers.map(({ process, address }) => ({ process, address }));
  const end = performance.now() + forMs;
  let losses = 0;
  while (performance.now() < end) {
    await wait(random.below(1_000));
    const lost = running[random.below(2)] ?? running[0];
    if (lost === undefined) break;
    history.controllerLosses.push(performance.now());
    await lost.process.kill();
    losses++;
    await wait(random.below(500));
    const settings = { ...controllerSettings, DRYDOCK_LISTEN: lost.address };
    lost.process = (await stack.startController(settings)).process;
  }
  return losses;
}

/** Longer than a lease and a round of the reaper. */
const silenceMs = 17_000;

/** Kills workers of the crew at random moments and starts others, and lets one sleep for longer than its lease. */
export async function loseWorkers(options: LossOptions): Promise<number> {
  const { controllers, crew, settings, random, history, forMs } = options;
  const [home] = controllers;
  history.hasWorkerLosses = true;
  const end = performance.now() + forMs;
  const sleeper = await crew.hire("sleeper", home, settings);
  const sleep = async () => {
    await wait(random.below(2_000));
    sleeper.signal("SIGSTOP");
    await wait(silenceMs);
    sleeper.signal("SIGCONT");
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
  await Promise.all([sleep(), kill("a"), kill("b")]);
  return losses;
}

/** Kills Redis, or lets it stand still for some seconds, at random moments, and lets it go on. */
export async function loseRedis({ stack: { redis }, random, history, forMs }: LossOptions): Promise<number> {
  history.hasRedisLosses = true;
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
