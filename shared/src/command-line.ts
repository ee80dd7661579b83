import type { Variable } from "./config.ts";
import { oneLine } from "./plain-text.ts";

/** What a service says about itself on the command line. */
export interface Help {
  /** The program, e.g. job-controller. */
  name: string;
  /** What it is for, in a sentence. */
  description: string;
  /** The settings that matter first. */
  settings: Readonly<Record<string, Variable>>;
}

/** What the command line asks for: a text to print and the exit code, or to start, which is undefined. */
export interface CommandLineAnswer {
  code: 0 | 2;
  text: string;
}

/** Reads the arguments of a service: it takes none but --help, as its settings are environment variables. */
export function readCommandLine(args: readonly string[], help: Help): CommandLineAnswer | undefined {
  if (args.includes("--help") || args.includes("-h")) return { code: 0, text: helpText(help) };
  const [unknown] = args;
  if (unknown === undefined) return undefined;
  const text = `${help.name}: the argument "${oneLine(unknown).slice(0, 100)}" is not known: it takes none but --help; its settings are environment variables`;
  return { code: 2, text };
}

function helpText({ name, description, settings }: Help): string {
  const names = Object.keys(settings);
  const width = Math.max(...names.map((each) => each.length));
  const lines = Object.entries(settings).map(([setting, variable]) => {
    const usual = variable.schema.safeParse(undefined).data;
    const note = usual === undefined ? "" : ` Default: ${usual}`;
    return `  ${setting.padEnd(width)}  ${variable.description ?? ""}${note}`;
  });
  return [
    `${name}: ${description}`,
    "",
    "It takes no arguments; its settings are environment variables. The main ones:",
    ...lines,
    "",
    "All of them: docs/configuration.md. SIGTERM ends it in good order.",
  ].join("\n");
}

/** Does what the command line asks for, and ends the process if that is not to start. */
export function obeyCommandLine(help: Help): void {
  const answer = readCommandLine(process.argv.slice(2), help);
  if (answer === undefined) return;
  (answer.code === 0 ? process.stdout : process.stderr).write(`${answer.text}\n`);
  process.exit(answer.code);
}
