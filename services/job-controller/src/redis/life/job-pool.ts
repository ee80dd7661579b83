import type { Backoff } from "@drydock/shared/backoff.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { HeldLease, Job, JobCommand, Lease, NewJob } from "../../domain/job.ts";
import { shardOf } from "../../domain/job-id.ts";
import { isFinal, type JobStatus, jobStatuses } from "../../domain/job-state.ts";
import type { LeaseTerms } from "../../domain/lease-terms.ts";
import type { TypeCapacity, WorkerIdentity, WorkerInfo, WorkerState } from "../../domain/worker.ts";
import type * as port from "../../ports/job-pool.ts";
import type { OperationName } from "../bundle/operations.gen.ts";
import { type HeldReply, splitByVerdict } from "../lease/held-replies.ts";
import { LeaseWatch } from "../lease/lease-watch.ts";
import { readCapacities, readWorkers } from "../lease/workers.ts";
import { Claimer } from "../queue/claimer.ts";
import { commandCode, leaseArguments, statusCode, toJob, toWholeJob } from "../record/job-codec.ts";
import type { Reply } from "../shards/reply.ts";
import { list, number, text } from "../shards/reply.ts";
import type { ScriptedRedis, Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import { type Hold, UniqueKeys } from "../unique/unique-keys.ts";
import { JobLauncher } from "./job-launcher.ts";
import { SubJobLauncher } from "./sub-job-launcher.ts";

/** How many jobs one upkeep call moves at most, so that its script stays short. */
const upkeepLimit = 100;
/** How much later than the grace time a worker that does not obey loses the job. */
const graceMarginMs = 5_000;

/** What the pool needs. */
export interface RedisJobPoolOptions {
  redis: ScriptedRedis;
  shards: Shards;
  terms: LeaseTerms;
  clock: Clock;
  /** The jitter of back-offs, from 0 to 1. Default: at random. */
  jitter?: () => number;
}

/** The pool in Redis. A worker has a lease in every shard, because a lease must change together with the jobs. */
export class RedisJobPool implements port.JobPool {
  readonly #redis: ScriptedRedis;
  readonly #shards: Shards;
  readonly #terms: LeaseTerms;
  readonly #clock: Clock;
  readonly #jitter: () => number;
  readonly #watch: LeaseWatch;
  readonly #claimer: Claimer;
  readonly #keys: UniqueKeys;
  readonly #jobs: JobLauncher;
  readonly #subJobs: SubJobLauncher;

  constructor({ redis, shards, terms, clock, jitter = Math.random }: RedisJobPoolOptions) {
    this.#redis = redis;
    this.#shards = shards;
    this.#terms = terms;
    this.#clock = clock;
    this.#jitter = jitter;
    this.#watch = new LeaseWatch(terms, clock);
    this.#claimer = new Claimer(shards);
    this.#keys = new UniqueKeys(shards, clock);
    this.#jobs = new JobLauncher(shards, this.#keys, clock);
    this.#subJobs = new SubJobLauncher(shards, this.#keys, clock);
  }

  launch(job: NewJob, refusal?: ReasonedError): Promise<Job> {
    return launchOrFindExisting(refusal, (why) => this.#jobs.launch(job, why));
  }

  launchSubJob(parent: HeldLease, key: string, job: NewJob, refusal?: ReasonedError): Promise<Job> {
    return launchOrFindExisting(refusal, (why) => this.#subJobs.launch({ parent, key, job, refusal: why }));
  }

  async get(jobId: string): Promise<Job> {
    return toWholeJob(await this.#shards.ofJob(jobId).run("operators/read", jobId));
  }

  async peek(jobId: string): Promise<Job> {
    return toWholeJob(await this.#shards.ofJob(jobId).run("operators/read", jobId, 0));
  }

  async end(jobId: string, command: JobCommand): Promise<Job> {
    return toJob(await this.#shards.ofJob(jobId).run("transitions/stop", jobId, commandCode(command)));
  }

  async retry(jobId: string): Promise<Job> {
    const own = this.#shards.ofJob(jobId);
    const key = this.#shards.count === 1 ? "" : (await this.get(jobId)).uniqueKey;
    const run = async (_: string, hold: Hold) => toJob(await own.run("transitions/retry", jobId, ...hold));
    return this.#keys.holding({ key, request: "", newId: () => jobId, run });
  }

  async hello(worker: WorkerIdentity, info: WorkerInfo, held: Lease[]): Promise<port.HelloReply> {
    const { workerId, incarnation, session } = worker;
    const sayHello = (generation: number) => (shard: Shard, own: Lease[]) => {
      const args = [workerId, incarnation, session, generation, this.#terms.leaseMs, JSON.stringify(info)] as const;
      return shard.run("lease/hello", ...args, ...leaseArguments(own));
    };
    // the first shard says which of two processes of an id is the newer one, or the shards might differ
    const first = await this.#perShard(held, sayHello(0), [0, 1]);
    const [, , generation, drain] = list(first[0]?.reply ?? []);
    const others = await this.#perShard(held, sayHello(number(generation)), [1]);
    const { named, commands } = splitByVerdict([...first, ...others]);
    return { keep: named.get(1) ?? [], drop: named.get(0) ?? [], commands, drain: drain === 1 };
  }

  async beat(worker: WorkerIdentity, held: Lease[]): Promise<port.BeatReply> {
    const { leaseMs, acceptMs, graceMs } = this.#terms;
    const identity = [worker.workerId, worker.incarnation, worker.session] as const;
    const replies = await this.#perShard(held, (shard, own) => {
      const args = [...identity, leaseMs, acceptMs, graceMs + graceMarginMs] as const;
      return shard.run("lease/beat", ...args, ...leaseArguments(own));
    });
    const { named, commands } = splitByVerdict(replies);
    const drain = replies.some(({ reply }) => list(reply)[2] === 1);
    return { lost: named.get(0) ?? [], commands, drain };
  }

  async update({ workerId, session }: WorkerIdentity, info: WorkerInfo): Promise<void> {
    const json = JSON.stringify(info);
    await this.#shards.all((shard) => shard.run("lease/update", workerId, session, json));
  }

  disconnect(worker: WorkerIdentity, unaccepted: Lease[]): Promise<void> {
    return this.#cut(worker, [this.#terms.brokenMs, 1], unaccepted);
  }

  takeBack(worker: WorkerIdentity, unaccepted: Lease[]): Promise<void> {
    return this.#cut(worker, [this.#terms.leaseMs, 0], unaccepted);
  }

  async #cut({ workerId, session }: WorkerIdentity, how: [leaseMs: number, broke: 0 | 1], unaccepted: Lease[]) {
    const args = [workerId, session, ...how] as const;
    await this.#perShard(unaccepted, (shard, own) => shard.run("lease/disconnect", ...args, ...leaseArguments(own)));
  }

  async leave({ workerId, session }: WorkerIdentity): Promise<void> {
    await this.#shards.all((shard) => shard.run("lease/leave", workerId, session));
  }

  async drainWorker(workerId: string): Promise<void> {
    await this.#shards.first.run("operators/drain-worker", workerId);
  }

  claim(worker: WorkerIdentity, types: readonly port.ClaimableType[], limit: number): Promise<port.Claim> {
    return this.#claimer.claim(worker, types, limit);
  }

  async checkIn(lease: HeldLease, checkIn: port.CheckIn): Promise<void> {
    await this.#run("transitions/check-in", lease, ...checkInArguments(checkIn));
  }

  async succeed(lease: HeldLease, checkIn: port.CheckIn): Promise<port.Verdict> {
    return toVerdict(await this.#run("transitions/succeed", lease, ...checkInArguments(checkIn)));
  }

  async fail(lease: HeldLease, failure: port.Failure, checkIn: port.CheckIn): Promise<port.Verdict> {
    const { reason, message, retry, maxFails, backoff } = failure;
    const cause = [reason, message] as const;
    const policy = [retry === "never" ? -1 : retry, maxFails, ...this.#backoffArguments(backoff)] as const;
    return toVerdict(await this.#run("transitions/fail", lease, ...cause, ...policy, ...checkInArguments(checkIn)));
  }

  async postpone(lease: HeldLease, postponement: port.Postponement, checkIn: port.CheckIn): Promise<port.Verdict> {
    const { delayMs, backoff, patienceMs = -1, reason, message } = postponement;
    const wait = [delayMs, ...this.#backoffArguments(backoff), patienceMs] as const;
    const cause = [reason, message, ...checkInArguments(checkIn)] as const;
    return toVerdict(await this.#run("transitions/postpone", lease, ...wait, ...cause));
  }

  async refuse(lease: HeldLease, refusal: port.Refusal, checkIn: port.CheckIn): Promise<port.Verdict> {
    const { patienceMs = -1, reason, message } = refusal;
    const terms = [patienceMs, this.#terms.refusalMs] as const;
    const cause = [reason, message, ...checkInArguments(checkIn)] as const;
    return toVerdict(await this.#run("transitions/refuse", lease, ...terms, ...cause));
  }

  async confirm(lease: HeldLease, command: JobCommand): Promise<port.Verdict> {
    return toVerdict(await this.#run("transitions/confirm", lease, commandCode(command)));
  }

  async release(lease: HeldLease): Promise<port.Verdict> {
    return toVerdict(await this.#run("transitions/release", lease));
  }

  async promote(): Promise<port.PromoteReport> {
    const replies = (await this.#shards.all((shard) => shard.run("transitions/promote", upkeepLimit))).map(list);
    const dues = replies.map(([, due]) => number(due)).filter((due) => due > 0);
    const nextDueAt = dues.length === 0 ? 0 : Math.min(...dues);
    return { ...toReport(replies.map(([count]) => number(count))), nextDueAt };
  }

  async reap(): Promise<port.UpkeepReport> {
    const { leaseMs, unwatchedMs } = this.#terms;
    const look = (since: number) =>
      this.#shards.all((shard) => shard.run("lease/reap", upkeepLimit, leaseMs, unwatchedMs, since));
    return toReport((await this.#watch.look(look)).map(number));
  }

  async expire(): Promise<port.UpkeepReport> {
    return toReport((await this.#shards.all((shard) => shard.run("transitions/expire", upkeepLimit))).map(number));
  }

  async endSubJobs(): Promise<port.UpkeepReport> {
    return toReport(
      (await this.#shards.all((shard) => shard.run("transitions/end-sub-jobs", upkeepLimit))).map(number),
    );
  }

  async sweep(status: JobStatus, before: number, hooksBefore: number): Promise<port.UpkeepReport> {
    const run = (shard: Shard) => shard.run("transitions/sweep", statusCode(status), before, hooksBefore, upkeepLimit);
    return toReport((await this.#shards.all(run)).map(number));
  }

  async endOfOldest(count: number): Promise<number | undefined> {
    const ends = await this.#ofEnded((shard, status) => shard.run("transitions/oldest-ended", status, count));
    const known = ends.filter((end) => end > 0);
    return known.length === 0 ? undefined : Math.min(...known) + 1;
  }

  async relieve(before: number): Promise<number> {
    const counts = await this.#ofEnded((shard, status) => {
      return shard.run("transitions/relieve", status, before, upkeepLimit);
    });
    return counts.reduce((sum, own) => sum + own, 0);
  }

  async freeKeys(): Promise<port.UpkeepReport> {
    return toReport(await this.#keys.freeDue(upkeepLimit));
  }

  workers(after = "", limit = Number.POSITIVE_INFINITY): Promise<WorkerState[]> {
    return readWorkers(this.#redis, this.#shards, { now: this.#clock.now(), after, limit });
  }

  capacities(): Promise<Map<string, TypeCapacity>> {
    return readCapacities(this.#redis, this.#shards, this.#clock.now());
  }

  #backoffArguments({ baseMs, capMs }: Backoff): [baseMs: number, capMs: number, jitter: number] {
    return [baseMs, capMs, this.#jitter()];
  }

  /** What the operation replies for each shard and final status. */
  async #ofEnded(run: (shard: Shard, status: number) => Promise<Reply>): Promise<number[]> {
    const statuses = jobStatuses.filter(isFinal).map(statusCode);
    const replies = await this.#shards.all((shard) => Promise.all(statuses.map((status) => run(shard, status))));
    return replies.flat().map(number);
  }

  /** Runs an operation of a process that holds the job. */
  #run(name: OperationName, lease: HeldLease, ...args: Array<string | number>): Promise<Reply> {
    return this.#shards.ofJob(lease.jobId).run(name, lease.jobId, lease.token, lease.incarnation, ...args);
  }

  /** @param range from which shard on, and before which one; by default all */
  #perShard(
    held: Lease[],
    run: (shard: Shard, own: Lease[]) => Promise<Reply>,
    [from, before]: [from: number, before?: number] = [0],
  ): Promise<HeldReply[]> {
    const calls = [...this.#shards].slice(from, before).map(async (shard) => {
      const own = held.filter(({ jobId }) => shardOf(jobId) === shard.number);
      return { own, reply: await run(shard, own) };
    });
    return Promise.all(calls);
  }
}

/** Launches the job. When Redis has no memory for a new one, a job that was launched before is still the answer. */
async function launchOrFindExisting(
  refusal: ReasonedError | undefined,
  launch: (refusal?: ReasonedError) => Promise<Job>,
) {
  try {
    return await launch(refusal);
  } catch (error) {
    const isFull = error instanceof ReasonedError && error.reason === "POOL_FULL";
    if (refusal !== undefined || !isFull) throw error;
    return launch(error);
  }
}

function checkInArguments({ text = "", progress }: port.CheckIn): [string, string, number] {
  return [text, progress?.phase ?? "", progress?.percent ?? 0];
}

function toReport(counts: number[]): port.UpkeepReport {
  const count = counts.reduce((sum, own) => sum + own, 0);
  return { count, more: counts.some((own) => own >= upkeepLimit) };
}

function toVerdict(reply: Reply): port.Verdict {
  const verdict = text(reply);
  return verdict === "duplicate" || verdict === "stale" ? verdict : "accepted";
}
