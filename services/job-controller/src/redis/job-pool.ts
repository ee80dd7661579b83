import type { Clock } from "@drydock/shared/clock.ts";
import type { Job, JobCommand, Lease, NewJob } from "../domain/job.ts";
import { createJobId, shardOf } from "../domain/job-id.ts";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import type { WorkerIdentity, WorkerInfo, WorkerState } from "../domain/worker.ts";
import type * as port from "../ports/job-pool.ts";
import { commandCode, leaseArguments, list, number, text, toClaimedJob, toJob, toOpenCommand } from "./job-codec.ts";
import { mergeQueues, readQueues, readWorkers } from "./pool-state.ts";
import { IdTaken, jobNotFound } from "./reply-errors.ts";
import type { Reply, ScriptedRedis, Shard } from "./shard.ts";

/** How many jobs one upkeep call moves at most, so that its script stays short. */
const upkeepLimit = 200;
/** How much later than the grace time a worker that does not obey loses the job. */
const graceMarginMs = 5_000;

/** What the pool needs. */
export interface RedisJobPoolOptions {
  redis: ScriptedRedis;
  shards: readonly Shard[];
  terms: LeaseTerms;
  clock: Clock;
}

/** The pool in Redis. A worker has a lease in every shard, because a lease must change together with the jobs. */
export class RedisJobPool implements port.JobPool {
  readonly #redis: ScriptedRedis;
  readonly #shards: readonly Shard[];
  readonly #terms: LeaseTerms;
  readonly #clock: Clock;
  #nextShard = 0;

  constructor({ redis, shards, terms, clock }: RedisJobPoolOptions) {
    this.#redis = redis;
    this.#shards = shards;
    this.#terms = terms;
    this.#clock = clock;
  }

  async launch(job: NewJob): Promise<Job> {
    const { name, traceparent, parametersJson } = job;
    const shard = this.#nextShard++ % this.#shards.length;
    return this.#withNewId(shard, (own, id) => own.run("launch", id, name, traceparent, parametersJson, ""));
  }

  async launchSubJob(parent: Lease, key: string, job: NewJob): Promise<Job> {
    const { name, traceparent, parametersJson } = job;
    return this.#withNewId(shardOf(parent.jobId), (own, id) =>
      own.run("launch-sub-job", parent.jobId, parent.token, key, id, name, traceparent, parametersJson),
    );
  }

  async get(jobId: string): Promise<Job> {
    return toJob(await this.#of(jobId).run("read", jobId));
  }

  async end(jobId: string, command: JobCommand): Promise<Job> {
    return toJob(await this.#of(jobId).run("stop", jobId, commandCode(command)));
  }

  async retry(jobId: string): Promise<Job> {
    return toJob(await this.#of(jobId).run("retry", jobId));
  }

  async hello(worker: WorkerIdentity, info: WorkerInfo, held: Lease[]): Promise<port.HelloReply> {
    const { workerId, incarnation, session } = worker;
    const replies = await this.#perShard(held, (shard, own) => {
      const args = [workerId, incarnation, session, this.#terms.leaseMs, JSON.stringify(info)] as const;
      return shard.run("hello", ...args, ...leaseArguments(own));
    });
    const { named, commands } = settleHeld(replies);
    return { keep: named.get(1) ?? [], drop: named.get(0) ?? [], commands };
  }

  async beat(worker: WorkerIdentity, held: Lease[]): Promise<port.BeatReply> {
    const { leaseMs, acceptMs, graceMs } = this.#terms;
    const replies = await this.#perShard(held, (shard, own) => {
      const args = [worker.workerId, worker.incarnation, leaseMs, acceptMs, graceMs + graceMarginMs] as const;
      return shard.run("beat", ...args, ...leaseArguments(own));
    });
    const { named, commands } = settleHeld(replies);
    return { lost: named.get(0) ?? [], commands };
  }

  async update({ workerId, incarnation, session }: WorkerIdentity, info: WorkerInfo): Promise<void> {
    const json = JSON.stringify(info);
    await this.#all((shard) => shard.run("update-worker", workerId, incarnation, session, json));
  }

  async disconnect({ workerId, session }: WorkerIdentity): Promise<void> {
    await this.#all((shard) => shard.run("disconnect", workerId, session, this.#terms.brokenMs));
  }

  async leave({ workerId, session }: WorkerIdentity): Promise<void> {
    await this.#all((shard) => shard.run("leave", workerId, session));
  }

  async claim(worker: WorkerIdentity, names: string[], limit: number): Promise<port.Claim> {
    const claim: port.Claim = { jobs: [], more: false };
    const first = this.#nextShard++;
    for (let i = 0; i < this.#shards.length && claim.jobs.length < limit; i++) {
      const shard = this.#shards[(first + i) % this.#shards.length] as Shard;
      const left = limit - claim.jobs.length;
      const [more, ...jobs] = list(await shard.run("claim", worker.workerId, worker.incarnation, left, ...names));
      for (const job of jobs) claim.jobs.push(toClaimedJob(job));
      claim.more ||= more === 1;
    }
    return claim;
  }

  async checkIn(lease: Lease, checkIn: port.CheckIn): Promise<void> {
    await this.#of(lease.jobId).run("check-in", lease.jobId, lease.token, ...checkInArguments(checkIn));
  }

  async succeed(lease: Lease, checkIn: port.CheckIn): Promise<port.Verdict> {
    const shard = this.#of(lease.jobId);
    return toVerdict(await shard.run("succeed", lease.jobId, lease.token, ...checkInArguments(checkIn)));
  }

  async fail(lease: Lease, failure: port.Failure, checkIn: port.CheckIn): Promise<port.Verdict> {
    const { reason, message, retry, maxFails, backoff } = failure;
    const delay = retry === "never" ? -1 : retry === "backoff" ? -2 : retry;
    const policy = [delay, maxFails, backoff.baseMs, backoff.capMs, Math.random()] as const;
    const rest = [...policy, ...checkInArguments(checkIn)] as const;
    return toVerdict(await this.#of(lease.jobId).run("fail", lease.jobId, lease.token, reason, message, ...rest));
  }

  async confirm(lease: Lease, command: JobCommand): Promise<port.Verdict> {
    return toVerdict(await this.#of(lease.jobId).run("confirm", lease.jobId, lease.token, commandCode(command)));
  }

  async release(lease: Lease): Promise<port.Verdict> {
    return toVerdict(await this.#of(lease.jobId).run("release", lease.jobId, lease.token));
  }

  promote(): Promise<port.UpkeepReport> {
    return this.#upkeep("promote");
  }

  reap(): Promise<port.UpkeepReport> {
    return this.#upkeep("reap");
  }

  workers(): Promise<WorkerState[]> {
    return readWorkers(this.#redis, this.#shards, this.#clock.now());
  }

  async queues(): Promise<port.QueueCounts[]> {
    return mergeQueues(await Promise.all(this.#shards.map((shard) => readQueues(this.#redis, shard))));
  }

  #of(jobId: string): Shard {
    const shard = this.#shards[shardOf(jobId)];
    if (shard === undefined) throw jobNotFound(jobId);
    return shard;
  }

  async #withNewId(number: number, run: (shard: Shard, id: string) => Promise<Reply>): Promise<Job> {
    const shard = this.#shards[number] as Shard;
    for (;;) {
      try {
        return toJob(await run(shard, createJobId(this.#clock.now(), number)));
      } catch (error) {
        if (!(error instanceof IdTaken)) throw error;
      }
    }
  }

  #all(run: (shard: Shard) => Promise<Reply>): Promise<Reply[]> {
    return Promise.all(this.#shards.map(run));
  }

  #perShard(held: Lease[], run: (shard: Shard, own: Lease[]) => Promise<Reply>): Promise<HeldReply[]> {
    const calls = this.#shards.map(async (shard, number) => {
      const own = held.filter(({ jobId }) => shardOf(jobId) === number);
      return { own, reply: await run(shard, own) };
    });
    return Promise.all(calls);
  }

  async #upkeep(name: "promote" | "reap"): Promise<port.UpkeepReport> {
    const counts = (await this.#all((shard) => shard.run(name, upkeepLimit))).map(number);
    const count = counts.reduce((sum, own) => sum + own, 0);
    return { count, more: counts.some((own) => own >= upkeepLimit) };
  }
}

interface HeldReply {
  own: Lease[];
  reply: Reply;
}

/** Sorts the named leases by what the script said of each, 1 or 0. */
function settleHeld(replies: HeldReply[]): { named: Map<number, Lease[]>; commands: port.OpenCommand[] } {
  const named = new Map<number, Lease[]>([
    [0, []],
    [1, []],
  ]);
  const commands: port.OpenCommand[] = [];
  for (const { own, reply } of replies) {
    const [verdicts, open] = list(reply);
    for (const [at, lease] of own.entries()) named.get(number(list(verdicts)[at]))?.push(lease);
    commands.push(...list(open).map(toOpenCommand));
  }
  return { named, commands };
}

function checkInArguments({ text: said, progress }: port.CheckIn): [string, string, number] {
  return [said ?? "", progress?.phase ?? "", progress?.percent ?? 0];
}

function toVerdict(reply: Reply): port.Verdict {
  const verdict = text(reply);
  return verdict === "duplicate" || verdict === "stale" ? verdict : "accepted";
}
