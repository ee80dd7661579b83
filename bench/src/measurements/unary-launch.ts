import type { Bench } from "../bench.ts";
import type { Measurement } from "../measurement.ts";
import type { ClientApi } from "../processes/api.ts";
import { alternate } from "../rounds.ts";
import type { Row } from "../row.ts";
import { startOne } from "../stack/processes.ts";
import type { RedisProbe } from "../stack/redis-probe.ts";
import type { Remote } from "../stack/remote.ts";
import { openSides } from "../stack/sides.ts";

const inFlight = 100;

interface Launcher {
  name: string;
  client: Remote<ClientApi>;
  probe?: RedisProbe;
}

/** LaunchJob one job a call, beside the same call to a server that does nothing, and beside BullMQ's add. */
export const unaryLaunch: Measurement = { name: "unary-launch", run };

async function run(bench: Bench): Promise<Row[]> {
  await using sides = await openSides(bench);
  await using echo = await startOne(bench, "echo-server");
  const port = await echo.call("start");
  await using echoClient = await startOne(bench, "drydock-client", { BENCH_TARGET: `127.0.0.1:${port}` });
  const contenders: Launcher[] = [
    { name: "echo", client: echoClient },
    ...sides.both.map(({ name, client, redis: { probe } }) => ({ name, client, probe })),
  ];
  const rounds = await alternate(bench, {
    contenders,
    once: async ({ client, probe }) => {
      await probe?.flush();
      return { perSecond: bench.sizes.launches / (await client.call("launch", bench.sizes.launches, inFlight)) };
    },
  });
  const samples = rounds.of("Drydock", "perSecond");
  return [
    {
      what: `LaunchJob, ${inFlight} in flight, jobs/s, beside an empty echo`,
      samples,
      beside: { name: "echo", samples: rounds.of("echo", "perSecond") },
      target: { kind: "at-least-times", factor: 0.8 },
    },
    {
      what: `LaunchJob, ${inFlight} in flight, jobs/s`,
      samples,
      beside: { samples: rounds.of("BullMQ", "perSecond") },
    },
  ];
}
