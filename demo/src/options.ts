import { oneLine } from "@drydock/shared/plain-text.ts";

/** What the command line of the demo says. */
export interface Options {
  keep: boolean;
}

export const usage = `npm run demo [-- --keep]

Starts Redis, a registry, an evaluation scanner, a job-controller and two scanner-workers on free ports, scans sample
images through the API and shows what was found.

  --keep  leave everything up until Ctrl-C
  --help  show this`;

/**
 * Reads the command line; undefined when it asks for help.
 * @throws Error when it can't be understood
 */
export function readOptions(args: readonly string[]): Options | undefined {
  if (args.includes("--help") || args.includes("-h")) return undefined;
  const unknown = args.find((arg) => arg !== "--keep");
  if (unknown === undefined) return { keep: args.length > 0 };
  throw new Error(`the argument "${oneLine(unknown).slice(0, 100)}" is not known: it takes --keep and --help`);
}
