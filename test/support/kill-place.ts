import { setTimeout as wait } from "node:timers/promises";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import type { Hello } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { plainType, ScriptedWorker } from "./scripted-worker.ts";
import { type Controller, type Settings, type Stack, startStack } from "./stack.ts";

const jobTypes = [plainType("SCRIPTED")];
/** Long enough for a call to be on its way to Redis. */
const onTheWayMs = 500;

/** A Redis that can be held, and a controller to be killed. */
export interface KillPlace {
  stack: Stack;
  /** The controller that is killed. */
  lost: Controller;
  /** Lets the controller send to Redis what `act` makes it send, and kills it before it hears the answer. */
  killDuring(act: () => unknown): Promise<void>;
  join(controller: Controller, hello?: Partial<Hello>): Promise<ScriptedWorker>;
}

/** Starts both; `settings` are the environment of the controller. */
export async function startKillPlace(settings: Settings = {}): Promise<KillPlace & AsyncDisposable> {
  const stack = await startStack();
  const lost = await stack.startController(settings);
  const workers: ScriptedWorker[] = [];
  const join: KillPlace["join"] = async ({ address }, hello = {}) => {
    const worker = await ScriptedWorker.join(address, { jobTypes, ...hello });
    workers.push(worker);
    return worker;
  };
  const killDuring = async (act: () => unknown) => {
    // a Redis that stands still takes what is sent, and does it when it goes on, also for a controller that is dead
    stack.redis.process.signal("SIGSTOP");
    await act();
    await wait(onTheWayMs);
    await lost.process.kill();
    stack.redis.process.signal("SIGCONT");
  };
  return {
    ...{ stack, lost, killDuring, join },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.breakOff()));
      await stack.stop();
    },
  };
}

/** Reads from the Redis of the stack. */
export async function readRedis<T>(
  { redis }: Stack,
  ask: (redis: ReturnType<typeof createConnection>) => Promise<T>,
): Promise<T> {
  const connection = createConnection(redis.url);
  await connection.connect();
  try {
    return await ask(connection);
  } finally {
    connection.disconnect();
  }
}
