import { watchStopSignals } from "@drydock/shared/lifecycle.ts";
import { describeLoad, describeMachine } from "./machine.ts";
import type { Measurement } from "./measurement.ts";
import { bulkLaunch } from "./measurements/bulk-launch.ts";
import { cpu } from "./measurements/cpu.ts";
import { crash } from "./measurements/crash.ts";
import { drain } from "./measurements/drain.ts";
import { flatness } from "./measurements/flatness.ts";
import { idle } from "./measurements/idle.ts";
import { launchAndRun } from "./measurements/launch-and-run.ts";
import { memory } from "./measurements/memory.ts";
import { reports, reportsInPostgres } from "./measurements/reports.ts";
import { scanAll } from "./measurements/scan-all.ts";
import { startLatency } from "./measurements/start-latency.ts";
import { unaryLaunch } from "./measurements/unary-launch.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { Progress } from "./progress.ts";
import { runAll } from "./run-all.ts";
import { startBenchRedis } from "./stack/redis.ts";
import { renderTable } from "./table.ts";

const all: readonly Measurement[] = [
  unaryLaunch,
  bulkLaunch,
  drain,
  launchAndRun,
  cpu,
  startLatency,
  memory,
  flatness,
  reports,
  reportsInPostgres,
  idle,
  crash,
  scanAll,
];

function optionsOrExit(): Options {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== undefined) return options;
    console.log(`${usage}\n\nThe measurements are ${all.map(({ name }) => name).join(", ")}.`);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}

function chosenOrExit(only: readonly string[] | undefined): readonly Measurement[] {
  const unknown = only?.filter((name) => !all.some((measurement) => measurement.name === name)) ?? [];
  if (unknown.length === 0) return all.filter(({ name }) => only?.includes(name) ?? true);
  console.error(`no such measurement: ${unknown.join(", ")}; there are ${all.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

/** Aborts at the first signal; a second one ends the process, and with it all that it started. */
function stopOnSignal(): AbortSignal {
  const stop = new AbortController();
  watchStopSignals({
    onStop: (name) => stop.abort(new Error(`ended by ${name}`)),
    onAgain: () => process.exit(130),
  });
  return stop.signal;
}

async function redisVersion(): Promise<string> {
  await using redis = await startBenchRedis();
  return await redis.probe.version();
}

const { sizes, only, profileDir } = optionsOrExit();
const chosen = chosenOrExit(only);
const signal = stopOnSignal();
const progress = new Progress(process.stderr);
console.log(`${describeMachine(await redisVersion())}\nbefore the run: ${describeLoad()}\n`);
const { rows, faults } = await runAll(chosen, { sizes, signal, profileDir, say: (text) => progress.say(text) });
progress.end();
if (rows.length > 0)
  console.log(
    `${renderTable(rows)}\n\nmedian (min–max), rounds: ${sizes.rounds}; ratios are of the same round; ${describeLoad()} at the end`,
  );
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
