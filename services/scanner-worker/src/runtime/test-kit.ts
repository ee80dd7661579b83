import { createLogger, type Logger } from "@drydock/shared/logger.ts";
import { z } from "zod";
import type { JobFailure } from "../domain/job-failure.ts";
import type { JobType } from "../ports/job.ts";
import type { JobLog, JobServices } from "../ports/job-services.ts";
import type {
  Assignment,
  Capacity,
  CheckIn,
  JobSource,
  JobSourceListener,
  Lease,
  RunResult,
} from "../ports/job-source.ts";
import { TypeGate } from "./type-gate.ts";
import { Worker, type WorkerOptions } from "./worker.ts";

/** A message that the worker sent through a fake source. */
type SentMessage =
  | { kind: "accept"; lease: Lease }
  | { kind: "reject"; lease: Lease; reason: string }
  | { kind: "checkIn"; lease: Lease; checkIn: CheckIn }
  | { kind: "result"; result: RunResult }
  | { kind: "capacity"; capacity: Capacity }
  | { kind: "draining" }
  | { kind: "stop" };

/** A job source whose controller is the test. */
export class FakeSource implements JobSource {
  readonly sent: SentMessage[] = [];
  isConnected = true;
  readonly #waiters: (() => void)[] = [];
  #listener: JobSourceListener | undefined;

  get listener(): JobSourceListener {
    if (this.#listener === undefined) throw new Error("the worker has not started its source");
    return this.#listener;
  }

  get results(): RunResult[] {
    return this.sent.flatMap((message) => (message.kind === "result" ? message.result : []));
  }

  /** The kinds of the messages, in order. */
  get kinds(): string[] {
    return this.sent.map(({ kind }) => kind);
  }

  /** The result that comes as the nth, from 1. */
  async nthResult(count: number): Promise<RunResult> {
    for (;;) {
      const result = this.results[count - 1];
      if (result !== undefined) return result;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  start(listener: JobSourceListener): void {
    this.#listener = listener;
  }

  accept(lease: Lease): void {
    this.#record({ kind: "accept", lease });
  }

  reject(lease: Lease, reason: string): void {
    this.#record({ kind: "reject", lease, reason });
  }

  checkIn(lease: Lease, checkIn: CheckIn): void {
    this.#record({ kind: "checkIn", lease, checkIn });
  }

  capacity(capacity: Capacity): void {
    this.#record({ kind: "capacity", capacity });
  }

  result(result: RunResult): void {
    this.#record({ kind: "result", result });
  }

  draining(): void {
    this.#record({ kind: "draining" });
  }

  async stop(): Promise<void> {
    this.#record({ kind: "stop" });
  }

  #record(message: SentMessage): void {
    this.sent.push(message);
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** The logs of runs, as text. */
export class FakeLogs {
  text = "";
  flushes = 0;

  open(): JobLog {
    return {
      write: (lines) => {
        this.text += lines;
      },
      flush: async () => {
        this.flushes += 1;
        return true;
      },
      close: () => {},
    };
  }
}

export const silentLogger: Logger = createLogger({ name: "test", level: "silent" });

export function fakeServices(overrides: Partial<JobServices> = {}): JobServices {
  return {
    logs: new FakeLogs(),
    reports: { store: async () => {} },
    subJobs: {
      launch: async (_lease, { key }) => ({ id: `sub-${key}` }),
      launchAll: async (_lease, jobs) => jobs.map(({ key }) => ({ id: `sub-${key}` })),
    },
    runStates: {
      read: async () => ({ checkpoint: "", subJobs: {}, launchedAt: new Date(0), now: new Date(0) }),
      saveCheckpoint: async () => {},
    },
    images: {
      record: async (_lease, images) => images.map(() => ({ reports: [], indexPlatforms: [], isLaunched: false })),
      count: async () => ({}),
      readReport: async () => undefined,
      find: async () => [],
      list: async () => ({ images: [], next: undefined }),
    },
    layerLocks: { lock: async () => true, unlock: async () => {} },
    properties: {},
    ...overrides,
  };
}

/** A job type with this handler. */
export function jobType(run: JobType["run"], overrides: Partial<JobType> = {}): JobType {
  return {
    name: "TEST",
    description: "A test.",
    parameters: z.looseObject({}),
    maxFails: 0,
    shouldRetry: () => true,
    validate: () => {},
    run,
    ...overrides,
  };
}

export function assignment(overrides: Partial<Assignment> = {}): Assignment {
  return {
    lease: { jobId: "job-1", token: 1 },
    name: "TEST",
    parametersJson: "{}",
    attempt: 1,
    timeoutMs: undefined,
    logOffset: 0,
    traceContext: "",
    ...overrides,
  };
}

/** A started worker and its source. */
export async function startWorker(type: JobType, overrides: Partial<WorkerOptions> = {}) {
  const source = new FakeSource();
  const logs = new FakeLogs();
  const worker = new Worker({
    workerId: "worker-1",
    source,
    services: fakeServices({ logs }),
    jobTypes: [type],
    slots: 4,
    drainMs: 0,
    logger: silentLogger,
    ...overrides,
  });
  await worker.start();
  const { listener } = source;
  listener.capacity();
  listener.onWelcome({ graceMs: 10_000, drop: [] });
  return { worker, source, logs, listener };
}

/** Lets what is due run. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a gate's scene needs of the context of its test. */
interface TestClock {
  mock: {
    timers: { enable(options: { apis: ("setTimeout" | "Date")[]; now: number }): void; tick(ms: number): void };
  };
  after(stop: () => void): void;
}

/** A gate whose outside is what the test says: there, or away with a failure. */
export function gateScene(t: TestClock, { hasProbe = true } = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const seen = { probes: 0, changes: 0, closings: [] as string[], lines: [] as string[] };
  const outside: { failure: JobFailure | undefined; probe?: Promise<void> } = { failure: undefined };
  const probe = async () => {
    seen.probes += 1;
    await outside.probe;
    if (outside.failure !== undefined) throw outside.failure;
  };
  const write = (line: string) => void seen.lines.push(JSON.parse(line).msg);
  const gate = new TypeGate({
    type: jobType(async () => {}, hasProbe ? { probe } : {}),
    clock: { now: () => Date.now() },
    logger: createLogger({ name: "test", level: "info", format: "json", destination: { write } }),
    onChange: () => {
      seen.changes += 1;
    },
    onClosed: (reason) => seen.closings.push(reason),
    random: () => 1,
  });
  t.after(() => gate.stop());
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await settle();
  };
  const open = async () => {
    gate.start();
    await settle();
    if (gate.closed !== undefined) throw new Error(`the gate is closed: ${gate.closed.reason}`);
  };
  return { gate, outside, seen, pass, open };
}
