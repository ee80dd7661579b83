// What a container platform runs to see whether a service can do its work: ends with 0 if so, else with 1 and a line that says why.

import { toError } from "../errors.ts";
import { checkHealth } from "./check-health.ts";

const timeoutMs = 3_000;

const [target = ""] = process.argv.slice(2);
try {
  await checkHealth(target, AbortSignal.timeout(timeoutMs));
} catch (error) {
  console.error(`${target}: ${toError(error).message}`);
  process.exitCode = 1;
}
