import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import type { Row } from "../row.ts";
import type { Side } from "../stack/side.ts";
import { openSides } from "../stack/sides.ts";

const concurrency = 100;
const settleMs = 3_000;

/** What Redis is asked while there is nothing to do. */
export const idle: Measurement = { name: "idle", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  const alone = await watch(bench, sides.drydock, "the controller alone");
  for (const { worker } of sides.both) await worker.call("start", concurrency, "kept");
  const [drydock, bullmq] = await Promise.all([
    watch(bench, sides.drydock, "with a worker"),
    watch(bench, sides.bullmq, "with a worker"),
  ]);
  const what = "idle, Redis commands/s";
  return [
    { what: `${what}: no worker`, samples: [alone.sent], target: { kind: "at-most", value: 5 } },
    {
      what: `${what}: a worker at concurrency ${concurrency}`,
      samples: [drydock.sent],
      beside: { samples: [bullmq.sent] },
      target: { kind: "at-most", value: 5 },
    },
    {
      what: `${what}: the same with those inside of scripts`,
      samples: [drydock.executed],
      beside: { samples: [bullmq.executed] },
    },
  ];
}

async function watch({ sizes: { idleSeconds }, signal, say }: Bench, { name, redis }: Side, what: string) {
  say(`${name}, ${what}`);
  await sleep(settleMs, undefined, { signal });
  const { sent, inside } = await redis.probe.countCommands(idleSeconds * 1000, signal);
  return { sent: sent / idleSeconds, executed: (sent + inside) / idleSeconds };
}
