import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { PinoPretty } from "pino-pretty";

/** Writes structured lines. The first argument holds the facts, the second the sentence: logger.info({ jobId }, "claimed"). */
export type Logger = PinoLogger;

/** The levels, the most talkative first. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** How much is logged. */
export type LogLevel = (typeof logLevels)[number];

/** The formats. */
export const logFormats = ["json", "pretty"] as const;
/** json: a JSON object per line, for machines. pretty: a readable line, for people. */
export type LogFormat = (typeof logFormats)[number];

export interface LoggerOptions {
  /** Default: info. */
  level?: LogLevel | undefined;
  /** Default: pretty when standard output is a terminal, else json. */
  format?: LogFormat | undefined;
  /** Who speaks, e.g. job-controller. */
  name: string;
  /** Where lines go. Default: standard output. */
  destination?: DestinationStream | undefined;
}

const secretFields = ["authorization", "Authorization", "password", "secret", "psk", "credentials"];
const secretPaths = ["", "*.", "*.*."].flatMap((prefix) => secretFields.map((field) => `${prefix}${field}`));

/** Makes the logger of a process. What stands under a secret's name, up to three levels deep, is never written. */
export function createLogger(options: LoggerOptions): Logger {
  const format = options.format ?? (process.stdout.isTTY ? "pretty" : "json");
  return pino(
    {
      name: options.name,
      level: options.level ?? "info",
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: "[hidden]" },
    },
    format === "pretty" ? prettyStream(options.destination) : (options.destination ?? pino.destination({ sync: true })),
  );
}

function prettyStream(destination: DestinationStream | undefined): DestinationStream {
  const colours = destination === undefined && process.stdout.isTTY === true;
  const pretty = PinoPretty.prettyFactory({ colorize: colours, singleLine: true, translateTime: "HH:MM:ss.l" });
  const target = destination ?? pino.destination({ sync: true });
  return { write: (line: string) => target.write(pretty(line)) };
}
