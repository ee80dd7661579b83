import { abortable } from "./abort.ts";
import { type Clock, systemClock } from "./clock.ts";
import { ReasonedError, toError } from "./errors.ts";
import { StartError } from "./listen.ts";
import type { Logger } from "./logger.ts";

/** A part that runs: a server, a loop, a connection. */
export interface Service {
  /** As the log names it. */
  readonly name: string;
  /** Resolves when the part works. */
  start(): Promise<void>;
  /**
   * Resolves when the part has truly stopped; safe to call twice, and on a part that never started.
   * @param signal aborts at the deadline: end at once
   */
  stop(signal?: AbortSignal): Promise<void>;
}

/** Starts the services in their order. If one fails, stops those that were started and rejects with its error. */
export async function startAll(services: readonly Service[], logger?: Logger): Promise<void> {
  const started: Service[] = [];
  try {
    for await (const service of startEach(services, logger)) started.push(service);
  } catch (error) {
    await stopInOrder(started.toReversed(), undefined, logger);
    throw error;
  }
}

/** Starts one service after the other, yielding each before it starts. */
async function* startEach(services: readonly Service[], logger?: Logger): AsyncGenerator<Service> {
  for (const service of services) {
    yield service;
    try {
      await service.start();
      logger?.debug({ service: service.name }, "started");
    } catch (error) {
      // runUntilSignal logs these as one line
      if (!isExplained(error)) logger?.error({ service: service.name, err: error }, "could not start");
      throw error;
    }
  }
}

/** Whether the error's message says what to do, so that its log line needs no stack. */
function isExplained(error: unknown): boolean {
  return error instanceof ReasonedError || error instanceof StartError;
}

/**
 * Stops the services in reverse order. A service that fails to stop does not keep the others from stopping; the first
 * failure is thrown at the end.
 * @param signal the deadline of all: services that have not stopped when it aborts are left behind
 */
export async function stopAll(services: readonly Service[], signal?: AbortSignal, logger?: Logger): Promise<void> {
  const failures = await stopInOrder(services.toReversed(), signal, logger);
  if (failures[0] !== undefined) throw failures[0];
}

async function stopInOrder(services: readonly Service[], signal?: AbortSignal, logger?: Logger): Promise<Error[]> {
  const failures: Error[] = [];
  for (const service of services) {
    try {
      const stopped = service.stop(signal);
      await (signal === undefined ? stopped : orLeftBehind(stopped, signal));
      logger?.debug({ service: service.name }, "stopped");
    } catch (error) {
      logger?.error({ service: service.name, err: error }, "did not stop well");
      failures.push(toError(error));
    }
  }
  return failures;
}

/** How long a service may take to end at once after the deadline, in milliseconds. */
const lastMomentMs = 500;

/** Gives the service a moment past the deadline, as it learns of the deadline only then. */
async function orLeftBehind(stopped: Promise<void>, signal: AbortSignal): Promise<void> {
  const leftBehind = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onDeadline = () => {
    timer = setTimeout(() => leftBehind.abort(new Error("did not stop in time")), lastMomentMs);
  };
  if (signal.aborted) onDeadline();
  else signal.addEventListener("abort", onDeadline, { once: true });
  try {
    await abortable(stopped, leftBehind.signal);
  } finally {
    signal.removeEventListener("abort", onDeadline);
    clearTimeout(timer);
  }
}

/** What runUntilSignal needs of the process. */
export interface Host {
  on(event: NodeJS.Signals, listener: () => void): unknown;
  on(event: "unhandledRejection", listener: (reason: unknown) => void): unknown;
  off(event: NodeJS.Signals, listener: () => void): unknown;
  off(event: "unhandledRejection", listener: (reason: unknown) => void): unknown;
  exit(code: number): unknown;
}

/** Why a process ends by itself, and with which exit code. */
export interface Ending {
  /** A word for the log. */
  why: string;
  code: number;
}

export interface RunOptions {
  logger: Logger;
  /** How long stopping may take over all services, in milliseconds. */
  graceMs: number;
  /** Called once all services work, e.g. to log "ready". */
  onReady?: () => void;
  /** Resolves when the process has nothing more to do and is to end without a signal. Default: never. */
  ended?: Promise<Ending>;
  /** Default: this process. */
  host?: Host;
  /** Default: the machine's. */
  clock?: Clock;
}

const stopSignals: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT"];

/** How long a further signal is the same request, in ms: npm forwards the SIGINT that a terminal sent to both. */
const sameRequestMs = 1_000;

/** What is done at a signal to stop. */
export interface StopSignalOptions {
  /** Called at the first signal. */
  onStop(signal: NodeJS.Signals): void;
  /** Called at a signal that comes more than a second after the first. */
  onAgain(signal: NodeJS.Signals): void;
  /** Default: SIGTERM and SIGINT. */
  signals?: readonly NodeJS.Signals[];
  /** Default: this process. */
  host?: Pick<Host, "on" | "off">;
  /** Default: the machine's. */
  clock?: Clock;
}

/** Listens for signals to stop. Returns what ends that. */
export function watchStopSignals(options: StopSignalOptions): () => void {
  const { onStop, onAgain, signals = stopSignals, host = process, clock = systemClock } = options;
  let firstAt: number | undefined;
  const listeners = signals.map((signal) => {
    const listener = () => {
      if (firstAt === undefined) {
        firstAt = clock.now();
        onStop(signal);
      } else if (clock.now() - firstAt > sameRequestMs) onAgain(signal);
    };
    host.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) host.off(signal, listener);
  };
}

/**
 * Runs the services until SIGTERM, SIGINT or the given end, then stops them and ends the process with 0, with the code
 * of that end, or with 1 when a service did not start or not stop in time. A signal that comes more than a second after
 * the first one ends the process at once with 1. A service that refuses to start with a ReasonedError or a StartError
 * is one line in the log, without a stack: the message says what to do. A rejection that nobody handled is logged, and
 * ends nothing: what it is about has failed already, and the rest of the process is sound.
 */
export async function runUntilSignal(services: readonly Service[], options: RunOptions): Promise<void> {
  const { logger, graceMs, onReady = () => {}, ended = never, host = process, clock = systemClock } = options;
  const onRejection = (reason: unknown) => logger.error({ err: toError(reason) }, "a rejection that nobody handled");
  host.on("unhandledRejection", onRejection);
  const signalled = Promise.withResolvers<Ending>();
  const stopWatching = watchStopSignals({
    host,
    clock,
    onStop: (signal) => signalled.resolve({ why: signal, code: 0 }),
    onAgain: (signal) => {
      logger.warn({ signal }, "second signal: ending at once");
      host.exit(1);
    },
  });
  const code = await run(services, Promise.race([signalled.promise, ended]), { logger, graceMs, onReady });
  stopWatching();
  host.off("unhandledRejection", onRejection);
  host.exit(code);
}

const never = new Promise<never>(() => {});

async function run(
  services: readonly Service[],
  ending: Promise<Ending>,
  { logger, graceMs, onReady }: Required<Pick<RunOptions, "logger" | "graceMs" | "onReady">>,
): Promise<number> {
  const started: Service[] = [];
  let wanted = true;
  const start = async () => {
    for await (const service of startEach(services, logger)) {
      if (!wanted) return;
      started.push(service);
    }
    if (wanted) onReady();
  };
  let code = 1;
  try {
    await Promise.race([start(), ending]);
    const { why, code: wantedCode } = await ending;
    logger.info({ why }, "stopping; signal again to end at once");
    code = wantedCode;
  } catch (error) {
    if (error instanceof ReasonedError) logger.fatal({ reason: error.reason }, `could not start: ${error.message}`);
    else if (error instanceof StartError) logger.error(`could not start: ${error.message}`);
    else logger.fatal({ err: error }, "could not start");
  }
  wanted = false;
  const stopped = await stopWithin(graceMs, started, logger);
  return stopped ? code : 1;
}

/** Whether all stopped well, and in time. */
async function stopWithin(graceMs: number, services: readonly Service[], logger: Logger): Promise<boolean> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error(`did not stop within ${graceMs} ms`)), graceMs);
  const failures = await stopInOrder(services.toReversed(), deadline.signal, logger);
  clearTimeout(timer);
  if (failures.length === 0) logger.info("stopped");
  return failures.length === 0;
}
