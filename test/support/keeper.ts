import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningProcess, startProcess } from "@drydock/demo/stack/processes.ts";
import { createTemporaryDirectory, type TemporaryDirectory } from "@drydock/demo/stack/temporary-directory.ts";
import type { CheckpointEvent } from "./history-record.ts";

/** A worker of its own process for jobs of KEEPING, which may be killed and started again. */
export class Keeper {
  readonly #controller: string;
  readonly #directory: TemporaryDirectory;
  #process: RunningProcess | undefined;

  private constructor(controller: string, directory: TemporaryDirectory) {
    this.#controller = controller;
    this.#directory = directory;
    writeFileSync(this.#file, "");
  }

  static async start(controller: string): Promise<Keeper> {
    const keeper = new Keeper(controller, await createTemporaryDirectory("keeper"));
    await keeper.start();
    return keeper;
  }

  async start(): Promise<void> {
    this.#process = await startProcess({
      ...{ name: "keeper", command: process.execPath, readyTimeoutMs: 45_000 },
      args: [join(import.meta.dirname, "keeper-main.ts"), this.#controller, this.#file],
    });
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** What its jobs asked and were answered, in that order, over all its processes. */
  events(): { jobId: string; event: CheckpointEvent }[] {
    const lines = readFileSync(this.#file, "utf8").split("\n");
    return lines.slice(0, -1).map((line) => JSON.parse(line) as { jobId: string; event: CheckpointEvent });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#directory.remove();
  }

  get #file(): string {
    return join(this.#directory.path, "checkpoints");
  }
}
