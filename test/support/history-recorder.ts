import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { isFinal, type JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import { HookStatus, hookStatusToJSON } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { CheckpointEvent, History, JobRecord, LoggedRun, Sighting } from "./history-record.ts";
import type { HookReceiver } from "./hook-receiver.ts";
import type { JobApi, LaunchFields, SeenJob } from "./job-api.ts";
import { isPassing, until } from "./until.ts";

/** How long a client goes on asking until it is answered, in milliseconds. */
const patienceMs = 30_000;
/** The same for one that watches a job until it ends. */
const watchPatienceMs = 180_000;
/** How long a job's last lines may take after its end, in milliseconds. */
const lastLinesMs = 8_000;

/** Asks controllers on behalf of clients that do not give up, and notes all that they see. */
export class HistoryRecorder {
  readonly history: History = {
    jobs: new Map(),
    launches: new Map(),
    kept: new Set(),
    controllerLosses: [],
    hasWorkerLosses: false,
    hasRedisLosses: false,
  };
  readonly #homes: readonly JobApi[];
  readonly #hooks: HookReceiver;
  readonly #watches = new Map<string, Promise<void>>();
  readonly #followed: Promise<void>[] = [];
  #turn = 0;
  #repeats = 0;

  constructor(homes: readonly JobApi[], hooks: HookReceiver) {
    this.#homes = homes;
    this.#hooks = hooks;
  }

  /** How many calls were not answered and asked again. */
  get repeats(): number {
    return this.#repeats;
  }

  /** Launches the job; the same request again gives the same job. Throws RpcError when it is refused. */
  async launch(job: NonNullable<LaunchFields["job"]>, requestId: string = randomUUID()): Promise<SeenJob> {
    const { launches } = this.history;
    const ids = launches.get(requestId) ?? new Set();
    launches.set(requestId, ids);
    try {
      const launched = await this.#ask((api) => api.launchAs({ job, requestId }));
      ids.add(launched.id);
      const record = this.#recordOf(launched.id);
      record.hasHook = job.statusHook !== undefined;
      record.uniqueKey = job.uniqueKey ?? "";
      record.leastRunMs = leastRunOf(job.parameters);
      return launched;
    } catch (error) {
      launches.delete(requestId);
      throw error;
    }
  }

  get(jobId: string): Promise<SeenJob> {
    return this.#ask((api) => api.get(jobId));
  }

  async stop(jobId: string): Promise<SeenJob> {
    return this.#noteEnd(await this.#ask((api) => api.stop(jobId)));
  }

  async cancel(jobId: string): Promise<SeenJob> {
    return this.#noteEnd(await this.#ask((api) => api.cancel(jobId)));
  }

  /** A run did that with the job's checkpoint. */
  noteCheckpoint(jobId: string, event: CheckpointEvent): void {
    this.#recordOf(jobId).checkpoints.push(event);
  }

  /** The job's report was acknowledged. */
  noteReport(jobId: string, reportId: string): void {
    this.#recordOf(jobId).report.acknowledged = reportId;
  }

  /** Reads the job's log while it is written, until it ends, over however many connections. */
  followLog(jobId: string): void {
    const { logReads } = this.#recordOf(jobId);
    const following = this.#patiently(async (api) => {
      let offset = logReads.at(-1)?.nextOffset ?? 0;
      for await (const { text, nextOffset } of api.logPieces(jobId, { offset, follow: true })) {
        logReads.push({ offset, text, nextOffset });
        offset = nextOffset;
      }
    }, watchPatienceMs);
    following.catch(() => {});
    this.#followed.push(following);
  }

  async retry(jobId: string): Promise<SeenJob> {
    const job = await this.#ask((api) => {
      this.#recordOf(jobId).retries++;
      return api.retry(jobId);
    });
    // the watch may have ended with the run before, or see this one too
    const before = this.#watches.get(jobId) ?? Promise.resolve();
    this.#watches.set(
      jobId,
      before.then(() => this.#watch(jobId)),
    );
    return job;
  }

  /** Waits until no job moves and no hook waits any more, and reads what is left of all jobs. */
  async settle(withinMs: number): Promise<void> {
    const isSettled = ({ status, hookStatus }: SeenJob) =>
      isFinal(status as JobStatus) && hookStatus !== HookStatus.HOOK_STATUS_PENDING;
    const list = async () => (await this.#list()).filter((job) => !isSettled(job)).map(toWords);
    await until("every job has ended", list, (open) => open.length === 0, { withinMs, everyMs: 250 });
    for (const job of await this.#list()) {
      if (job.upstreamJobId === "") this.history.kept.add(job.id);
      this.#recordOf(job.id).hasHook ||= job.hookStatus !== HookStatus.HOOK_STATUS_UNSPECIFIED;
      await this.#readLog(job);
      await this.#readReport(job.id);
      await this.get(job.id);
    }
    await Promise.all([...this.#watches.values(), ...this.#followed]);
    this.#noteDeliveries();
  }

  async #list(): Promise<SeenJob[]> {
    const askedAt = performance.now();
    const jobs = await this.#patiently((api) => api.list());
    for (const job of jobs) this.#see(job, askedAt);
    return jobs;
  }

  async #ask(call: (api: JobApi) => Promise<SeenJob>): Promise<SeenJob> {
    let askedAt = 0;
    const job = await this.#patiently((api) => {
      askedAt = performance.now();
      return call(api);
    });
    this.#see(job, askedAt);
    return job;
  }

  /** Asks one home after the other until one answers. */
  async #patiently<T>(call: (api: JobApi) => Promise<T>, withinMs = patienceMs): Promise<T> {
    const end = performance.now() + withinMs;
    for (;;) {
      const api = this.#homes[this.#turn++ % this.#homes.length];
      if (api === undefined) throw new Error("nobody to ask");
      try {
        return await call(api);
      } catch (error) {
        if (!isPassing(error) || performance.now() > end) throw error;
        this.#repeats++;
        await wait(50);
      }
    }
  }

  #see(job: SeenJob, askedAt: number): void {
    const { id, revision, status, attempt, crashes, workerId, checkIn, pendingCommand, lastError } = job;
    const { updateTime, runAt, startTime, endTime, executions } = job;
    const times = { runAt, startTime, endTime, updateTime };
    this.#recordOf(id).sightings.push({
      ...{ revision, status: status as JobStatus, updatedAt: updateTime?.getTime() ?? 0, askedAt },
      ...{ seenAt: performance.now(), progress: progressOf(job) },
      facts: { attempt, crashes, workerId, checkIn, pendingCommand, lastError, ...times },
    });
    this.#follow(id);
    for (const child of executions) this.#follow(child);
  }

  #recordOf(id: string): JobRecord {
    const known = this.history.jobs.get(id);
    if (known !== undefined) return known;
    const record = newRecord(id);
    this.history.jobs.set(id, record);
    return record;
  }

  #follow(jobId: string): void {
    if (!this.#watches.has(jobId)) this.#watches.set(jobId, this.#watch(jobId));
  }

  /** Sees the job until it ends, over however many connections. */
  #watch(jobId: string): Promise<void> {
    const reported: number[] = [];
    this.#recordOf(jobId).watches.push(reported);
    const watching = this.#patiently(async (api) => {
      const askedAt = performance.now();
      for await (const job of api.watch(jobId, reported.at(-1) ?? 0)) {
        reported.push(job.revision);
        this.#see(job, askedAt);
      }
    }, watchPatienceMs);
    // settle throws it
    watching.catch(() => {});
    return watching;
  }

  #noteEnd(job: SeenJob): SeenJob {
    const { id, revision, status, startTime } = job;
    if (status === "RUNNING") this.#recordOf(id).ends.push({ revision, run: startTime?.getTime() ?? 0 });
    return job;
  }

  /** The last lines may come after the job's end. */
  async #readLog({ id, status }: SeenJob): Promise<void> {
    const record = this.#recordOf(id);
    const end = performance.now() + lastLinesMs;
    for (;;) {
      record.log = await this.#patiently((api) => api.log(id));
      record.runs = runsIn(record.log);
      const isWhole = status !== "SUCCESS" || record.runs.at(-1)?.isDone === true;
      if (isWhole || performance.now() > end) return;
      await wait(100);
    }
  }

  async #readReport(id: string): Promise<void> {
    const { report } = this.#recordOf(id);
    if (report.acknowledged === undefined) return;
    report.found = await this.#patiently(async (api) => (await api.reportOf(id)).reportId);
  }

  #noteDeliveries(): void {
    for (const { headers, jobId, status, arrivedAt, answer = 0 } of this.#hooks.received) {
      this.#recordOf(jobId).deliveries.push({
        sequence: Number(String(headers["webhook-id"]).split(".")[1]),
        status: status.replace("JOB_STATUS_", "") as JobStatus,
        arrivedAt,
        isTaken: answer >= 200 && answer < 300,
      });
    }
  }
}

/** What the present run has said; the job also keeps what the one before had said. */
function progressOf({ startTime, checkInAt, progress }: SeenJob): Sighting["progress"] {
  const run = startTime?.getTime() ?? 0;
  return progress !== undefined && (checkInAt?.getTime() ?? 0) > run ? { run, percent: progress.percent } : undefined;
}

/** DEMO takes its time. */
function leastRunOf({ steps = 0, step_ms: stepMs = 0 }: Record<string, unknown> = {}): number {
  return Number(steps) * Number(stepMs);
}

function newRecord(id: string): JobRecord {
  return {
    ...{ id, sightings: [], watches: [], retries: 0, deliveries: [], hasHook: false, runs: undefined },
    ...{ ends: [], logReads: [], log: undefined, report: { acknowledged: undefined, found: undefined } },
    ...{ checkpoints: [], uniqueKey: "", leastRunMs: 0 },
  };
}

/** Every run of DEMO begins and ends with the same lines, and tells each step. */
function runsIn(log: string): LoggedRun[] {
  const runs: LoggedRun[] = [];
  for (const line of log.split("\n")) {
    const [, attempt, count] = /INFO {2}attempt (\d+): (\d+) (?:step|job)/.exec(line) ?? [];
    if (attempt !== undefined) {
      runs.push({ attempt: Number(attempt), steps: [], stepCount: Number(count), isDone: false });
    }
    const last = runs.at(-1);
    const step = /(?:step|job) (\d+) of \d+ done$/.exec(line)?.[1];
    if (step !== undefined) last?.steps.push(Number(step));
    if (last !== undefined && line.endsWith("INFO  done")) last.isDone = true;
  }
  return runs;
}

function toWords({ id, status, hookStatus }: SeenJob): string {
  return `${id} ${status}, its hook ${hookStatusToJSON(hookStatus)}`;
}
