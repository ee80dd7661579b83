import { Worker } from "node:worker_threads";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { CheckRequest, CheckResponse } from "./check-messages.ts";

/** The limits of the thread. */
export interface CheckQueueTerms {
  /** How long the thread may be at work for one request, in milliseconds, whatever else the machine does. */
  deadlineMs: number;
  /** How long a thread was at work since its start, in milliseconds. */
  busyMs(thread: Worker): Promise<number>;
  /** Requests of one job type that wait. */
  maxWaiting: number;
}

interface Waiting {
  request: CheckRequest;
  resolve(response: CheckResponse): void;
  reject(error: Error): void;
}

const defaultTerms: CheckQueueTerms = { deadlineMs: 1_000, maxWaiting: 32, busyMs };
/** How many times longer than its deadline a request may take when others keep the processor. */
const patience = 10;
/** Wait before a thread is looked at again, in milliseconds, at least. */
const leastWaitMs = 20;
const retryAfterMs = 2_000;
/** Job types that have requests waiting. */
const maxLines = 200;
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

/**
 * Has a thread do what may take long, one request after another, job types in turn. A request that takes longer than its
 * deadline ends with its thread, and the next one gets a new thread.
 */
export class CheckQueue {
  readonly #terms: CheckQueueTerms;
  /** The requests that wait by job type; the first type is the next. */
  readonly #lines = new Map<string, Waiting[]>();
  #thread: Promise<Worker> | undefined;
  #isBusy = false;

  constructor(terms: Partial<CheckQueueTerms> = {}) {
    this.#terms = { ...defaultTerms, ...terms };
  }

  /** @throws ReasonedError CHECK_TIMED_OUT, CHECK_QUEUE_FULL */
  ask(request: CheckRequest): Promise<CheckResponse> {
    const line = this.#lines.get(request.jobName) ?? [];
    if (line.length >= this.#terms.maxWaiting || this.#lines.size >= maxLines) throw queueFull(request.jobName);
    this.#lines.set(request.jobName, line);
    const response = new Promise<CheckResponse>((resolve, reject) => line.push({ request, resolve, reject }));
    void this.#work();
    return response;
  }

  /** Starts the thread, so that the first request need not wait for that. */
  warmUp(): void {
    this.#thread ??= startThread();
    this.#thread.catch(() => {});
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await this.#run(next.request).then(next.resolve, next.reject);
    }
    this.#isBusy = false;
  }

  #next(): Waiting | undefined {
    for (const [jobName, line] of this.#lines) {
      this.#lines.delete(jobName);
      const next = line.shift();
      if (line.length > 0) this.#lines.set(jobName, line);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  async #run(request: CheckRequest): Promise<CheckResponse> {
    this.#thread ??= startThread();
    let thread: Worker;
    try {
      thread = await this.#thread;
    } catch (error) {
      this.#thread = undefined;
      throw error;
    }
    thread.ref();
    try {
      return await answerOf(thread, request, this.#terms);
    } catch (error) {
      this.#thread = undefined;
      void thread.terminate();
      throw error;
    } finally {
      thread.unref();
    }
  }
}

async function startThread(): Promise<Worker> {
  const thread = new Worker(new URL("./check-thread.ts", import.meta.url), { resourceLimits });
  await new Promise((resolve, reject) => thread.once("message", resolve).once("error", reject));
  // an idle thread keeps no process alive
  thread.unref();
  thread.removeAllListeners("error");
  // an idle thread that ends is noticed by the next request
  return thread.on("error", () => {});
}

async function busyMs(thread: Worker): Promise<number> {
  const { user, system } = await thread.cpuUsage();
  return (user + system) / 1_000;
}

function answerOf(
  thread: Worker,
  request: CheckRequest,
  { deadlineMs, busyMs }: CheckQueueTerms,
): Promise<CheckResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<CheckResponse>();
  const onExit = () => reject(timedOut(request, deadlineMs));
  const last = setTimeout(onExit, deadlineMs * patience);
  const begun = busyMs(thread);
  let isOver = false;
  const look = async () => {
    const leftMs = deadlineMs - (await busyMs(thread)) + (await begun);
    if (leftMs <= 0) onExit();
    else if (!isOver) timer = setTimeout(watch, Math.max(leftMs, leastWaitMs));
  };
  // a thread that ended has no usage, and is noticed by its end
  const watch = () => look().catch(() => {});
  begun.catch(() => {});
  let timer = setTimeout(watch, deadlineMs);
  thread.once("message", resolve).once("error", onExit).once("exit", onExit);
  thread.postMessage(request);
  return promise.finally(() => {
    isOver = true;
    clearTimeout(last);
    clearTimeout(timer);
    thread.off("message", resolve).off("error", onExit).off("exit", onExit);
  });
}

function timedOut({ jobName }: CheckRequest, deadlineMs: number): ReasonedError {
  const text = `the schema of ${jobName} needs more than ${deadlineMs} ms or 256 MiB for these parameters`;
  return new ReasonedError("CHECK_TIMED_OUT", `${text}; send smaller ones, or simplify the schema`, {
    metadata: { name: jobName },
    violations: [{ field: "job.parameters", description: `must be checked within ${deadlineMs} ms by the schema` }],
  });
}

function queueFull(jobName: string): ReasonedError {
  const text = `too many parameters of ${jobName} wait to be checked; launch later, or with smaller parameters`;
  return new ReasonedError("CHECK_QUEUE_FULL", text, { metadata: { name: jobName }, retryAfterMs });
}
