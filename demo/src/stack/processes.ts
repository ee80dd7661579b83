import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { LineLog } from "./line-log.ts";

/** What to run. */
export interface ProcessOptions {
  /** As errors name it. */
  name: string;
  command: string;
  args: string[];
  /** Added to this process's own environment, which is handed on without DRYDOCK_ variables. */
  env?: Record<string, string>;
  /** What the line of its output says with which it is ready. Default: the fields of a JSON line with msg "ready". */
  readReady?: (line: string) => ReadyFacts | undefined;
  /** How long it may take to be ready, in milliseconds. Default 15,000. */
  readyTimeoutMs?: number;
  /** How long it may take to end after SIGTERM until it is killed, in milliseconds. Default 10,000. */
  graceMs?: number;
  /** How to come by the command, for the error when it is missing. */
  installHint?: string;
}

/** What a process said about itself when it was ready, e.g. its addresses. */
export type ReadyFacts = Record<string, unknown>;

/** How a process ended: by an exit code or by a signal. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process did not start, or ended unasked. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";
  /** The last lines of its output. */
  readonly log: string;

  constructor(message: string, log: string, options?: ErrorOptions) {
    super(message, options);
    this.log = log;
  }
}

/** A process of ours that runs. It never outlives this process, however this one ends. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly ready: ReadyFacts;
  /** Resolves when it has ended, whoever ended it. */
  readonly exited: Promise<ProcessExit>;
  /** The last lines of its output. */
  log(): string;
  /** Waits for a line, written already or to come, of which `read` makes something. */
  findLine<T>(read: (line: string) => T | undefined, signal: AbortSignal): Promise<T>;
  /** Sends a signal and does not wait. */
  signal(name: NodeJS.Signals): void;
  /** Sends a signal, SIGKILL by default, and waits for the end. */
  kill(name?: NodeJS.Signals): Promise<ProcessExit>;
  /** SIGTERM, and SIGKILL when the grace time is over. Safe to call twice. */
  stop(): Promise<ProcessExit>;
}

/**
 * Starts a process and resolves when it is ready.
 * @throws ProcessError when it can't be run, ends, or is not ready in time; then nothing of it is left
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const log = new LineLog();
  // A group of its own: Ctrl-C reaches this process alone, which then ends the others in order.
  const child = spawn(options.command, options.args, {
    env: { ...inheritedEnvironment(), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  for (const output of [child.stdout, child.stderr]) createInterface(output).on("line", (line) => log.add(line));
  const pid = await spawned(child, options);
  // A signal that can't be sent any more: the exit tells.
  child.on("error", () => {});
  const release = killWithParent(pid);
  const exited = once(child, "close").then(([code, signal]): ProcessExit => {
    release();
    return { code, signal };
  });
  try {
    const ready = await whenReady(options, log, exited);
    return control({ child, pid, exited, ready, log, options });
  } catch (error) {
    child.kill("SIGKILL");
    await exited;
    throw error;
  }
}

/**
 * Kills the process's group when this process ends, also by SIGKILL, when no handler of ours can run: a shell waits for the end
 * of its input, which only this process has open. Gives what ends the shell once the process itself has ended.
 */
function killWithParent(pid: number): () => void {
  const guard = spawn("/bin/sh", ["-c", `read -r _ || kill -9 -${pid}`], {
    env: {},
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.on("error", () => {});
  guard.stdin.on("error", () => {});
  guard.unref();
  (guard.stdin as Socket).unref();
  return () => guard.stdin.end("ended\n");
}

async function spawned(child: ChildProcess, { name, command, installHint }: ProcessOptions): Promise<number> {
  try {
    await once(child, "spawn");
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const what = isMissing ? `${command} is not installed${installHint ? `: ${installHint}` : ""}` : String(cause);
    throw new ProcessError(`${name} could not be started: ${what}`, "", { cause });
  }
  return child.pid ?? 0;
}

async function whenReady(options: ProcessOptions, log: LineLog, exited: Promise<ProcessExit>): Promise<ReadyFacts> {
  const { name, readReady = readJsonReady, readyTimeoutMs = 15_000 } = options;
  const failure = new AbortController();
  const fail = (what: string) => failure.abort(new ProcessError(`${name} ${what}`, log.tail()));
  const timer = setTimeout(() => fail(`was not ready within ${readyTimeoutMs} ms`), readyTimeoutMs);
  void exited.then((exit) => fail(`ended before it was ready, with ${describeExit(exit)}`));
  try {
    return await log.find(readReady, failure.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** The fields of a JSON log line with msg "ready". */
function readJsonReady(line: string): ReadyFacts | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const facts: ReadyFacts = JSON.parse(line);
    return facts.msg === "ready" ? facts : undefined;
  } catch {
    return undefined;
  }
}

interface Parts {
  child: ChildProcess;
  pid: number;
  exited: Promise<ProcessExit>;
  ready: ReadyFacts;
  log: LineLog;
  options: ProcessOptions;
}

function control({ child, pid, exited, ready, log, options }: Parts): RunningProcess {
  const { name, graceMs = 10_000 } = options;
  const kill = (signal: NodeJS.Signals = "SIGKILL") => {
    child.kill(signal);
    return exited;
  };
  const stop = async () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    try {
      return await kill("SIGTERM");
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    name,
    pid,
    ready,
    exited,
    log: () => log.tail(),
    findLine: (read, signal) => log.find(read, signal),
    signal: (signal) => void child.kill(signal),
    kill,
    stop,
  };
}

/** `code 1` or `SIGKILL`. */
export function describeExit({ code, signal }: ProcessExit): string {
  return signal ?? `code ${code}`;
}

function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DRYDOCK_")));
}
