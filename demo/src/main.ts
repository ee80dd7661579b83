import { parseArgs } from "node:util";
import { toError } from "@drydock/shared/errors.ts";
import { runDemo } from "./demo.ts";
import { ProcessError } from "./stack/processes.ts";

const usage = `npm run demo [-- --keep]

Starts Redis, a registry, an evaluation scanner, a job-controller and two scanner-workers on free ports, scans sample
images through the API and shows what was found.

  --keep  leave everything up until Ctrl-C
  --help  show this`;

/** How many lines of a part's log are shown when it fails. */
const tailLines = 20;

const interrupted = new Error("interrupted");
const interruption = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (interruption.signal.aborted) process.exit(1);
    interruption.abort(interrupted);
  });
}

// Whoever read the output has left, as `head` does.
process.stdout.on("error", () => interruption.abort(interrupted));

function explain(thrown: unknown): string {
  const error = toError(thrown);
  const message = `demo: ${error.message}`;
  if (!(error instanceof ProcessError) || error.log === "") return message;
  const tail = error.log.split("\n").slice(-tailLines);
  return [message, "Its log ends with:", ...tail.map((line) => `  ${line}`)].join("\n");
}

try {
  const { values } = parseArgs({ options: { keep: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) console.log(usage);
  else await runDemo({ keep: values.keep ?? false, output: process.stdout, signal: interruption.signal });
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
