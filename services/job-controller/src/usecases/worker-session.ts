import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { ClaimedJob, HeldLease, JobCommand, Lease } from "../domain/job.ts";
import { defaultMaxFails, type JobType } from "../domain/job-type.ts";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import type { LeaseRelease, StreamStateMachine } from "../domain/stream-state.ts";
import { isSuperseded, type WorkerCapacity, type WorkerIdentity, type WorkerInfo } from "../domain/worker.ts";
import type { CheckIn, Claim, ClaimableType, JobPool } from "../ports/job-pool.ts";
import type { JobChanges } from "./job-changes.ts";
import { OpenTypes } from "./open-types.ts";
import type { RecentCapacities } from "./recent-capacities.ts";
import { storeResult } from "./store-result.ts";
import { storeWithRetry } from "./store-with-retry.ts";
import type { RunResult, WorkerChannel } from "./worker-channel.ts";

/** What a session needs. */
export interface SessionDeps {
  pool: JobPool;
  changes: JobChanges;
  clock: Clock;
  terms: LeaseTerms;
  logger: Logger;
  capacities: RecentCapacities;
  /** Called when the worker has a free slot. */
  onFree(): void;
  /** Called when the worker takes jobs of the type again. */
  onOpen(jobName: string): void;
  /** Called when the worker gave a job back that it was sent. */
  onReject(jobName: string): void;
}

/** The content of a Hello. */
export interface WorkerHello {
  identity: WorkerIdentity;
  version: string;
  types: JobType[];
  capacity: WorkerCapacity;
  held: Lease[];
}

interface HeldJob {
  token: number;
  /** When the Assign was sent; undefined once the worker has accepted it. */
  sentAt: number | undefined;
}

/** One stream of one worker: the jobs that the worker holds, and the messages about them. */
export class WorkerSession {
  readonly identity: WorkerIdentity;
  readonly #deps: SessionDeps;
  readonly #stream: StreamStateMachine;
  readonly #channel: WorkerChannel;
  readonly #types: ReadonlyMap<string, JobType>;
  readonly #openTypes: OpenTypes;
  readonly #hello: WorkerHello;
  readonly #held = new Map<string, HeldJob>();
  /** Aborts the retries of results when the stream closes. */
  readonly #retries = new AbortController();
  readonly #nameOf = new Map<string, string>();
  readonly #joinedAt: number;
  #capacity: WorkerCapacity;
  #claiming = 0;
  /** The types whose first reject was logged. */
  readonly #rejectLogged = new Set<string>();

  /** @param stream the state of the session's stream, which is `opening` */
  constructor(deps: SessionDeps, stream: StreamStateMachine, channel: WorkerChannel, hello: WorkerHello) {
    this.#deps = deps;
    this.#stream = stream;
    this.#channel = channel;
    this.#hello = hello;
    this.#capacity = hello.capacity;
    this.#joinedAt = deps.clock.now();
    this.identity = hello.identity;
    this.#types = new Map(hello.types.map((type) => [type.name, type]));
    this.#openTypes = new OpenTypes(this.#types.keys(), (name) => deps.onOpen(name));
    this.#openTypes.close(hello.capacity.closed.map(({ jobName }) => jobName));
  }

  /** The job types that may be claimed for the worker now. */
  get names(): ReadonlySet<string> {
    return this.#openTypes.names;
  }

  /** How many jobs the worker takes at once. */
  get slots(): number {
    return this.#capacity.slots;
  }

  /** How many more jobs the worker takes. */
  get free(): number {
    if (!this.#stream.rules.takesJobs || this.#channel.isFull) return 0;
    return Math.max(0, this.#capacity.slots - this.#held.size - this.#claiming);
  }

  /**
   * Settles the jobs that the worker holds and sends the Welcome.
   * @param registerTypes called once the pool has accepted the Hello: a refused process must not bring back an old schema
   */
  async open(registerTypes: () => Promise<void>): Promise<void> {
    const reply = await this.#deps.pool.hello(this.identity, this.#info(), this.#hello.held);
    await registerTypes();
    for (const { jobId, token } of reply.keep) this.#held.set(jobId, { token, sentAt: undefined });
    // a type's limits hold for what was assigned on an earlier stream too
    const kept = await Promise.all(reply.keep.map(({ jobId }) => this.#deps.pool.get(jobId)));
    for (const { id, name } of kept) this.#nameOf.set(id, name);
    this.#stream.apply("welcome");
    this.#channel.welcome(reply);
    for (const { lease, command } of reply.commands) this.#channel.command(lease, command);
    if (reply.drain) this.drain();
  }

  /** Claims jobs of these types and sends them; resolves to where more may be waiting. */
  async claim(names: string[], limit: number): Promise<Pick<Claim, "more" | "busy">> {
    this.#claiming += limit;
    try {
      const types = await Promise.all(names.map((name) => this.#claimable(name)));
      const { jobs, more, busy, refused } = await this.#deps.pool.claim(this.identity, types, limit);
      for (const job of jobs) this.#assign(job);
      for (const name of refused) if (!jobs.some((job) => job.name === name)) this.#openTypes.foundNothing(name);
      return { more: more || jobs.length === limit, busy: [...busy, ...refused] };
    } catch (error) {
      if (isSuperseded(error)) this.#stream.apply("claim refused");
      throw error;
    } finally {
      this.#claiming -= limit;
    }
  }

  /** Takes the number of slots and the closed types that the worker sent. */
  async resize(capacity: WorkerCapacity): Promise<void> {
    this.#capacity = capacity;
    this.#openTypes.close(capacity.closed.map(({ jobName }) => jobName));
    this.#deps.onFree();
    await this.#deps.pool.update(this.identity, this.#info());
  }

  /** Returns with whether the job is the worker's. */
  accept({ jobId, token }: Lease): boolean {
    this.#markResponsive();
    const held = this.#held.get(jobId);
    if (held?.token !== token) {
      // the Accept came too late: until its next beat the worker would run the job beside another worker
      this.#channel.lost([{ jobId, token }]);
      return false;
    }
    held.sentAt = undefined;
    return true;
  }

  /**
   * Releases a job that the worker rejected. The worker gets no more jobs of the type until a back-off is over.
   * Resolves to whether the job was the worker's.
   */
  async reject(lease: Lease, reason: string): Promise<boolean> {
    const { jobId, token } = lease;
    const name = this.#nameOf.get(jobId);
    if (name !== undefined && this.#held.get(jobId)?.token === token) {
      this.#openTypes.backOff(name);
      this.#deps.onReject(name);
      const level = this.#rejectLogged.has(name) ? "debug" : "warn";
      this.#rejectLogged.add(name);
      const { workerId } = this.identity;
      this.#deps.logger[level](
        { jobId, job: name, workerId, reason },
        "a worker rejects jobs; it gets fewer of the type",
      );
      this.#forget(jobId);
    }
    const verdict = await this.#deps.pool.release(this.#own(lease));
    this.#deps.changes.changed(jobId);
    return verdict !== "stale";
  }

  async beat(sequence: number, held: Lease[]): Promise<void> {
    const reply = await this.#deps.pool.beat(this.identity, held).catch((error: unknown) => {
      if (isSuperseded(error)) this.#channel.end(error);
      throw error;
    });
    this.#markResponsive();
    for (const { jobId } of reply.lost) this.#forget(jobId);
    this.#channel.beatAck(sequence, reply);
    if (reply.drain) this.drain();
  }

  async checkIn(lease: Lease, checkIn: CheckIn): Promise<void> {
    await this.#deps.pool.checkIn(this.#own(lease), checkIn);
    this.#deps.changes.changed(lease.jobId);
  }

  /** Stores the result, again and again while Redis is away, and acknowledges it; whether the job was the worker's. */
  async result(result: RunResult): Promise<boolean> {
    const { lease } = result;
    const name = this.#nameOf.get(lease.jobId) ?? "";
    const { maxFails = defaultMaxFails } = this.#types.get(name) ?? {};
    const { refusalMs } = this.#deps.terms;
    if (this.#held.has(lease.jobId)) {
      // the job goes to the front of its queue, and this worker must not be the next one to claim it; a refused one it does not get
      if (result.outcome === "released") this.#openTypes.backOff(name);
      else this.#openTypes.ran(name);
    }
    this.#forget(lease.jobId);
    const store = () => storeResult(this.#deps.pool, this.identity, result, { maxFails, refusalMs });
    const verdict = await storeWithRetry(store, this.#retries.signal);
    this.#channel.resultAck(lease, verdict);
    this.#deps.changes.changed(lease.jobId);
    return verdict !== "stale";
  }

  command(lease: Lease, command: JobCommand): void {
    this.#channel.command(lease, command);
  }

  /** Gives back the jobs that the worker was sent and did not accept in time. Called once a second. */
  async takeBackUnaccepted(): Promise<void> {
    const before = this.#deps.clock.now() - this.#deps.terms.acceptMs;
    const unaccepted = this.#unaccepted(before);
    if (unaccepted.length === 0) return;
    this.#stream.apply("assign not accepted");
    await this.#deps.pool.takeBack(this.identity, unaccepted);
    for (const { jobId, token } of unaccepted) {
      const held = this.#held.get(jobId);
      // the worker may have claimed the job again meanwhile
      if (held?.token === token) {
        if (held.sentAt === undefined) this.#channel.lost([{ jobId, token }]);
        this.#forget(jobId);
      }
      this.#deps.changes.changed(jobId);
    }
  }

  /** The worker takes no more jobs. */
  async draining(): Promise<void> {
    this.#stream.apply("draining");
    await this.#deps.pool.update(this.identity, this.#info());
  }

  /** Asks the worker to finish its jobs and leave. */
  drain(): void {
    if (this.#stream.apply("drain")) this.#channel.drain();
  }

  /** Ends the retries of results and releases the lease. To be called when the stream has closed. */
  async close(release: LeaseRelease): Promise<void> {
    this.#retries.abort(new Error("the stream is over"));
    this.#openTypes.stop();
    if (release === "leave") await this.#deps.pool.leave(this.identity);
    if (release === "disconnect") await this.#deps.pool.disconnect(this.identity, this.#unaccepted());
  }

  /** The leases that were sent before that time and not accepted. */
  #unaccepted(before = Number.POSITIVE_INFINITY): Lease[] {
    const unaccepted = [...this.#held].filter(([, { sentAt }]) => sentAt !== undefined && sentAt < before);
    return unaccepted.map(([jobId, { token }]) => ({ jobId, token }));
  }

  /** The worker reads its stream: one that was unresponsive gets jobs again. */
  #markResponsive(): void {
    if (this.#stream.apply("accept or beat")) this.#deps.onFree();
  }

  async #claimable(name: string): Promise<ClaimableType> {
    const { maxRunning = 0, maxKeyPercent = 0 } = this.#types.get(name) ?? {};
    const maxOfKey = maxKeyPercent === 0 ? 0 : await this.#deps.capacities.maxOfKey(name, maxKeyPercent);
    return { name, maxRunning, maxOfKey };
  }

  #assign(job: ClaimedJob): void {
    if (this.#stream.state === "closed") {
      void this.#deps.pool.release(this.#own({ jobId: job.id, token: job.token })).catch(() => {});
      return;
    }
    this.#held.set(job.id, { token: job.token, sentAt: this.#deps.clock.now() });
    this.#nameOf.set(job.id, job.name);
    this.#channel.assign(job);
    this.#deps.changes.changed(job.id);
  }

  #own(lease: Lease): HeldLease {
    return { ...lease, incarnation: this.identity.incarnation };
  }

  #forget(jobId: string): void {
    this.#nameOf.delete(jobId);
    if (this.#held.delete(jobId)) this.#deps.onFree();
  }

  #info(): WorkerInfo {
    const { version } = this.#hello;
    const { state } = this.#stream;
    return {
      version,
      jobNames: [...this.#types.keys()],
      ...this.#capacity,
      draining: state === "drainRequested" || state === "draining",
      startedAt: this.#joinedAt,
    };
  }
}
