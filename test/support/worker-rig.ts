import type { Hello } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { plainType, ScriptedWorker } from "./scripted-worker.ts";
import { type Controller, type Settings, type Stack, startStack } from "./stack.ts";

/** A controller for scripted workers. Each test takes a job type of its own, so that tests don't meet. */
export class WorkerRig {
  readonly controller: Controller;
  readonly #stack: Stack;
  readonly #workers: ScriptedWorker[] = [];
  #types = 0;

  constructor(stack: Stack, controller: Controller) {
    this.#stack = stack;
    this.controller = controller;
  }

  get api() {
    return this.controller.api;
  }

  /** The name of a job type that no other test uses. */
  newType(): string {
    this.#types += 1;
    return `SCRIPTED_${this.#types}`;
  }

  /** A further controller of the same Redis. */
  startController(): Promise<Controller> {
    return this.#stack.startController();
  }

  /** A worker for the job type that is welcome. */
  async join(type: string, hello: Partial<Hello> = {}): Promise<ScriptedWorker> {
    const jobTypes = [plainType(type)];
    const worker = await ScriptedWorker.join(this.controller.address, { jobTypes, ...hello });
    this.#workers.push(worker);
    return worker;
  }

  /** A worker that has sent nothing yet. */
  open(hello: Partial<Hello> = {}): ScriptedWorker {
    const worker = new ScriptedWorker(this.controller.address, hello);
    this.#workers.push(worker);
    return worker;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.breakOff()));
    await this.#stack.stop();
  }
}

/** Starts Redis and a controller with these settings. */
export async function startWorkerRig(settings: Settings = {}): Promise<WorkerRig> {
  const stack = await startStack();
  try {
    return new WorkerRig(stack, await stack.startController(settings));
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
