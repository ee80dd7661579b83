import { toError } from "@drydock/shared/errors.ts";
import { watchStopSignals } from "@drydock/shared/lifecycle.ts";
import { runDemo } from "./demo.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { ProcessError } from "./stack/processes.ts";

/** How many lines of a part's log are shown when it fails. */
const tailLines = 20;

const interrupted = new Error("interrupted");
const interruption = new AbortController();
watchStopSignals({
  signals: ["SIGINT", "SIGTERM", "SIGHUP"],
  onStop: () => interruption.abort(interrupted),
  onAgain: () => process.exit(1),
});

// Whoever read the output has left, as `head` does.
process.stdout.on("error", () => interruption.abort(interrupted));

function explain(thrown: unknown): string {
  const error = toError(thrown);
  const message = `demo: ${error.message}`;
  if (!(error instanceof ProcessError) || error.log === "") return message;
  const tail = error.log.split("\n").slice(-tailLines);
  return [message, "Its log ends with:", ...tail.map((line) => `  ${line}`)].join("\n");
}

function optionsOrExit(): Options {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== undefined) return options;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`demo: ${toError(error).message}\n\n${usage}`);
    process.exit(2);
  }
}

const options = optionsOrExit();
try {
  await runDemo({ ...options, output: process.stdout, signal: interruption.signal });
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
