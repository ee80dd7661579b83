import assert from "node:assert/strict";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import type { JobApi, SeenJob } from "./job-api.ts";
import type { Controller, Settings, Stack } from "./stack.ts";

/** The workers of a failure test, each a process, by their worker ids. */
export class Crew {
  readonly #stack: Stack;
  readonly #members = new Map<string, RunningProcess>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Starts a worker under this id, also in place of one that is dead. */
  async hire(workerId: string, controller: Controller, settings: Settings = {}): Promise<RunningProcess> {
    const worker = await this.#stack.startWorker(controller, { DRYDOCK_WORKER_ID: workerId, ...settings });
    this.#members.set(workerId, worker);
    return worker;
  }

  /** The worker that runs the job, or ran it last. */
  of({ workerId }: SeenJob): RunningProcess {
    const worker = this.#members.get(workerId);
    assert.ok(worker, `no worker is called ${workerId}`);
    return worker;
  }

  /** Kills the worker. */
  async lose(workerId: string): Promise<void> {
    await this.#members.get(workerId)?.kill();
  }

  /** Ends all workers, at once. */
  async dismiss(): Promise<void> {
    await Promise.all([...this.#members.values()].map((worker) => worker.kill()));
    this.#members.clear();
  }
}

/** Status, attempt and crashes of a job, to compare them at once. */
export function runFacts({ status, attempt, crashes }: SeenJob): [status: string, attempt: number, crashes: number] {
  return [status, attempt, crashes];
}

/** How many runs the job's log tells of: every run of DEMO begins with the same line. */
export async function runsInLog(api: JobApi, jobId: string): Promise<number> {
  const log = await api.log(jobId);
  return log.match(/attempt \d+: \d+ steps? of/g)?.length ?? 0;
}

/** Waits for a line of the process's output, written already or to come within the time. */
export async function sees(process: RunningProcess, pattern: RegExp, withinMs = 5_000): Promise<void> {
  const read = (line: string) => (pattern.test(line) ? line : undefined);
  await process.findLine(read, AbortSignal.timeout(withinMs));
}
