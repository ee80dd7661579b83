import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { JobKind } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { RpcError } from "@drydock/shared/grpc/client.ts";
import type { HistoryRecorder } from "./history-recorder.ts";
import type { LaunchFields, SeenJob } from "./job-api.ts";
import type { Random } from "./random.ts";

type JobFields = NonNullable<LaunchFields["job"]>;

/** Who puts the load on, and what it needs. */
export interface LoadOptions {
  recorder: HistoryRecorder;
  random: Random;
  /** Where half of the jobs have their status hook. */
  hookUrl: string;
  /** How many users there are; each does one thing after the other. */
  users: number;
  forMs: number;
}

const eachSecond = "* * * * * *";
/** Failures are tried again after a moment. */
const soon = { seconds: 0, nanos: 50_000_000 };

/** Users who launch jobs of every kind, and stop, cancel and retry them, for a given time; periodic jobs are stopped at the end. */
export async function putMixedLoad({ recorder, random, hookUrl, users, forMs }: LoadOptions): Promise<void> {
  const load = new MixedLoad(recorder, random, hookUrl);
  const end = performance.now() + forMs;
  const periodic = await load.launchPeriodic();
  const use = async () => {
    while (performance.now() < end) {
      await load.doSomething();
      await wait(random.below(400));
    }
  };
  await Promise.all(Array.from({ length: users }, use));
  for (const { id } of periodic) await recorder.stop(id);
}

class MixedLoad {
  readonly #recorder: HistoryRecorder;
  readonly #random: Random;
  readonly #hookUrl: string;

  constructor(recorder: HistoryRecorder, random: Random, hookUrl: string) {
    this.#recorder = recorder;
    this.#random = random;
    this.#hookUrl = hookUrl;
  }

  doSomething(): Promise<unknown> {
    const { pick } = this.#random;
    const act = pick<() => Promise<unknown>>(
      ...([this.#generic, this.#generic, this.#twice, this.#failing, this.#hopeless, this.#scheduled] as const),
      ...([this.#unique, this.#stopped, this.#cancelled, this.#family, this.#long, this.#long] as const),
      ...([this.#reporting, this.#keeping] as const),
    );
    return act();
  }

  launchPeriodic(): Promise<SeenJob[]> {
    const metadata = { kind: JobKind.JOB_KIND_PERIODIC, cronSpec: eachSecond };
    const many = { ...metadata, periodic: { overlap: 3 as const } };
    return Promise.all([
      this.#recorder.launch({ ...this.#demo(), metadata, statusHook: this.#hookUrl }),
      this.#recorder.launch({ ...this.#demo(3, 400), metadata: many }),
    ]);
  }

  readonly #generic = () => this.#recorder.launch(this.#any());

  /** It still runs elsewhere when a worker that lost it wakes up. */
  readonly #long = async () => {
    const { id } = await this.#recorder.launch(this.#any({ steps: 10, step_ms: 300 }));
    this.#recorder.followLog(id);
  };

  readonly #reporting = () => this.#recorder.launch({ name: "REPORTING", parameters: {} });

  /** A client that did not hear the answer, though it was sent. */
  readonly #twice = async () => {
    const [job, request] = [this.#any(), randomUUID()];
    await Promise.all([this.#recorder.launch(job, request), this.#recorder.launch(job, request)]);
    await this.#recorder.launch(job, request);
  };

  readonly #failing = () => {
    const job = this.#any({ fail: "once" });
    return this.#recorder.launch({ ...job, policy: { initialBackoff: soon } });
  };

  readonly #hopeless = async () => {
    const { id } = await this.#recorder.launch({ ...this.#any({ fail: "always" }), policy: { maxAttempts: 1 } });
    await this.#bringBack(id, "ERROR");
  };

  readonly #scheduled = () => {
    const scheduleDelay = { seconds: this.#random.below(3), nanos: this.#random.below(1_000) * 1_000_000 };
    const due = { $case: "scheduleDelay" as const, value: scheduleDelay };
    return this.#recorder.launch({ ...this.#any(), metadata: { kind: JobKind.JOB_KIND_SCHEDULED, due } });
  };

  readonly #unique = () => {
    const uniqueKey = this.#random.pick("one", "two", "three");
    const launch = this.#recorder.launch({ ...this.#any(), uniqueKey, metadata: { isUnique: true } });
    return orRefused(launch, "JOB_ALREADY_EXISTS");
  };

  readonly #stopped = async () => {
    const { id } = await this.#recorder.launch(this.#any({ steps: 8, step_ms: 200 }));
    await wait(this.#random.below(800));
    await orRefused(this.#recorder.stop(id), "JOB_STATUS_FORBIDS");
  };

  readonly #cancelled = async () => {
    const { id } = await this.#recorder.launch(this.#any({ steps: 8, step_ms: 200 }));
    await wait(this.#random.below(800));
    await orRefused(this.#recorder.cancel(id), "JOB_STATUS_FORBIDS");
    await this.#bringBack(id, "CANCELLED");
  };

  /** A job that goes on from its checkpoint. */
  readonly #keeping = () => this.#recorder.launch({ name: "KEEPING", parameters: {} });

  /** A job that launches others; some are stopped in the middle. */
  readonly #family = async () => {
    const { id } = await this.#recorder.launch({ name: "FAMILY", parameters: {}, statusHook: this.#hookUrl });
    if (!this.#random.percent(30)) return;
    await wait(this.#random.below(800));
    await orRefused(this.#recorder.stop(id), "JOB_STATUS_FORBIDS");
  };

  /** Retries the job when it has come to that status; it may also have come to another. */
  async #bringBack(id: string, status: string): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      if ((await this.#recorder.get(id)).status === status) {
        // asked again because the answer was lost, it may have been done already
        await orRefused(this.#recorder.retry(id), "JOB_STATUS_FORBIDS");
        return;
      }
      await wait(100);
    }
  }

  #any(parameters: Record<string, unknown> = {}): JobFields {
    const statusHook = this.#random.percent(50) ? { statusHook: this.#hookUrl } : {};
    const { parameters: usual, ...job } = this.#demo(1 + this.#random.below(4), this.#random.below(150));
    return { ...job, parameters: { ...usual, ...parameters }, ...statusHook };
  }

  #demo(steps = 1, stepMs = 0) {
    return { name: "DEMO", parameters: { image: "demo", steps, step_ms: stepMs } };
  }
}

/** Waits for the answer; to be refused for that reason is well too. */
async function orRefused(call: Promise<unknown>, reason: string): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof RpcError) || error.reason !== reason) throw error;
  });
}
