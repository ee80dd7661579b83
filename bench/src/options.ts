import { parseArgs } from "node:util";

/** How much is measured. */
export interface Sizes {
  /** How often each side is measured. */
  rounds: number;
  /** Launches of a round, with 100 in flight. */
  launches: number;
  /** Jobs that are launched in bulk or drained in a round, in thousands whole. */
  drained: number;
  /** How long jobs are launched at a steady rate in a round, in seconds. */
  steadySeconds: number;
  /** Jobs whose memory is measured. */
  remembered: number;
  /** How many jobs wait while launches are timed, rising. */
  depths: readonly number[];
  /** How many reports are stored while questions about them are timed, rising. */
  reports: readonly number[];
  /** How long idle processes are watched, in seconds. */
  idleSeconds: number;
  /** Images that are scanned at once. */
  scanned: number;
  /** Whether BullMQ's recovery is measured too, which takes a minute. */
  peerCrash: boolean;
}

/** What to measure, and how. */
export interface Options {
  sizes: Sizes;
  /** The measurements to run; undefined runs all. */
  only: readonly string[] | undefined;
  /** Where controllers and workers leave their CPU profiles; undefined makes none. */
  profileDir: string | undefined;
}

export const usage = `npm run bench -- [options]

  --quick             one round of small counts, in less than two minutes
  --rounds <n>        rounds of each measurement, 1 to 100 (5; 1 with --quick)
  --only <name,...>   these measurements alone
  --profile <folder>  leave a CPU profile of each controller, and of the workers of scan-all, in the folder
  --help              this text`;

const full: Sizes = {
  rounds: 5,
  launches: 10_000,
  drained: 50_000,
  steadySeconds: 6,
  remembered: 50_000,
  depths: [0, 1_000, 100_000, 1_000_000],
  reports: [1_000, 10_000, 100_000],
  idleSeconds: 10,
  scanned: 1_000,
  peerCrash: true,
};

const quick: Sizes = {
  rounds: 1,
  launches: 3_000,
  drained: 5_000,
  steadySeconds: 2,
  remembered: 10_000,
  depths: [0, 1_000, 10_000, 50_000],
  reports: [1_000, 5_000],
  idleSeconds: 4,
  scanned: 200,
  peerCrash: false,
};

/**
 * Reads the command line; undefined when it asks for help.
 * @throws Error when it can't be understood
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const sizes = { ...(values.quick ? quick : full) };
  if (values.rounds !== undefined) sizes.rounds = toRounds(values.rounds);
  return { sizes, only: values.only?.split(","), profileDir: values.profile };
}

function toRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error("--rounds must be from 1 to 100");
  return rounds;
}
