import type { Bench } from "./bench.ts";
import type { Measurement } from "./measurement.ts";
import type { Row } from "./row.ts";

/** The outcome of the measurements. */
export interface Outcome {
  rows: Row[];
  /** What could not be measured, and why. */
  faults: string[];
}

/** Runs one measurement after the other. One that fails leaves the others alone; the signal ends them all. */
export async function runAll(measurements: readonly Measurement[], bench: Bench): Promise<Outcome> {
  const outcome: Outcome = { rows: [], faults: [] };
  for (const [index, { name, run }] of measurements.entries()) {
    if (bench.signal.aborted) break;
    const say = (text: string) => bench.say(`${name} (${index + 1} of ${measurements.length}): ${text}`);
    try {
      outcome.rows.push(...(await run({ ...bench, say })));
    } catch (error) {
      outcome.faults.push(`${name} was not measured: ${error instanceof Error ? error.message : error}`);
    }
  }
  return outcome;
}
