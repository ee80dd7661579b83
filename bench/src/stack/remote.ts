import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { LineLog } from "@drydock/demo/stack/line-log.ts";
import { abortable, withTimeout } from "@drydock/shared/abort.ts";
import type { Answer, Call, Given, Taken } from "./remote-api.ts";

/** How long a call may take, in milliseconds; filling a queue with a million jobs is the longest. */
const callMs = 15 * 60_000;
const readyMs = 15_000;
const graceMs = 3_000;

/** A process of ours whose methods can be called. Ends with this process. */
export interface Remote<A> extends AsyncDisposable {
  call<Name extends keyof A & string>(name: Name, ...args: Taken<A[Name]>): Promise<Given<A[Name]>>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

export interface RemoteOptions {
  /** The module to run: the URL of a file that calls serve. */
  module: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

/** Starts a process and waits until its methods can be called. */
export async function startRemote<A>(options: RemoteOptions): Promise<Remote<A>> {
  const { module, env, signal } = options;
  // A group of its own: Ctrl-C reaches this process alone, which then ends the others in order.
  const child = fork(new URL(module), {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  const log = new LineLog();
  for (const output of [child.stdout, child.stderr])
    if (output) createInterface(output).on("line", (line) => log.add(line));
  child.on("error", (error) => log.add(error.message));
  const remote = new RemoteProcess<A>(child, log, signal);
  try {
    await remote.ready();
    return remote;
  } catch (error) {
    await remote.kill();
    throw error;
  }
}

class RemoteProcess<A> implements Remote<A> {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #exited: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #count = 0;

  constructor(child: ChildProcess, log: LineLog, signal: AbortSignal) {
    this.#child = child;
    this.#signal = signal;
    this.#ready.promise.catch(() => {});
    this.#exited = once(child, "exit").then(([code, killedBy]) => {
      const error = new Error(`a process ended with ${killedBy ?? `code ${code}`}: ${log.tail(20)}`);
      this.#ready.reject(error);
      for (const call of this.#calls.values()) call.reject(error);
    });
    child.on("message", (answer: Answer) => this.#receive(answer));
  }

  ready(): Promise<void> {
    return abortable(this.#ready.promise, withTimeout(readyMs, this.#signal));
  }

  call<Name extends keyof A & string>(name: Name, ...args: Taken<A[Name]>): Promise<Given<A[Name]>> {
    const id = ++this.#count;
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    const message: Call = { id, name, args };
    this.#child.send(message, (error) => error && call.reject(error));
    const answered = abortable(call.promise, withTimeout(callMs, this.#signal)).finally(() => this.#calls.delete(id));
    return answered as Promise<Given<A[Name]>>;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
    clearTimeout(timer);
  }

  #receive(answer: Answer): void {
    if ("ready" in answer) this.#ready.resolve();
    else if ("error" in answer) this.#calls.get(answer.id)?.reject(new Error(answer.error));
    else this.#calls.get(answer.id)?.resolve(answer.value);
  }
}
