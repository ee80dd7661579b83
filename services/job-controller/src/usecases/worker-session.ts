import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { ClaimedJob, HeldLease, JobCommand, Lease } from "../domain/job.ts";
import type { JobType } from "../domain/job-type.ts";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import type { LeaseRelease, StreamStateMachine } from "../domain/stream-state.ts";
import type { WorkerCapacity, WorkerIdentity, WorkerInfo } from "../domain/worker.ts";
import type { CheckIn, Claim, ClaimableType, JobPool } from "../ports/job-pool.ts";
import type { JobChanges } from "./job-changes.ts";
import type { KeyLimits } from "./key-limits.ts";
import { OpenTypes } from "./open-types.ts";
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
  keyLimits: KeyLimits;
  /** Called when the worker has a free slot. */
  onFree(): void;
  /** Called when the worker takes jobs of the type again. */
  onOpen(jobName: string): void;
  /** Called when the worker gave a job back that it was sent. */
  onReject(jobName: string): void;
}

/** What a worker says in its Hello. */
export interface WorkerHello {
  identity: WorkerIdentity;
  version: string;
  types: JobType[];
  capacity: WorkerCapacity;
  held: Lease[];
}

interface HeldJob {
  token: number;
  /** When it was sent, until the worker says that it has come. */
  sentAt: number | undefined;
}

/** One stream of one worker: what it holds, and what it says about that. */
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
  /** The types of which a reject is in the log. */
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
   * Settles what the worker holds and welcomes it.
   * @param registerTypes called once the worker is let in: a process that is not must not bring back an old schema
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

  /** The worker can hold so many jobs, and takes none of some types. */
  async resize(capacity: WorkerCapacity): Promise<void> {
    this.#capacity = capacity;
    this.#openTypes.close(capacity.closed.map(({ jobName }) => jobName));
    this.#deps.onFree();
    await this.#deps.pool.update(this.identity, this.#info());
  }

  accept({ jobId, token }: Lease): void {
    this.#markResponsive();
    const held = this.#held.get(jobId);
    if (held?.token !== token) {
      // it came too late: the worker would run the job beside another one until its next beat
      this.#channel.lost([{ jobId, token }]);
      return;
    }
    held.sentAt = undefined;
    this.#openTypes.accepted(this.#nameOf.get(jobId) ?? "");
  }

  /** Gives a job back that the worker cannot run, and claims no more of its type for it for a time. */
  async reject(lease: Lease, reason: string): Promise<void> {
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
      this.#let(jobId);
    }
    await this.#deps.pool.release(this.#own(lease));
    this.#deps.changes.changed(jobId);
  }

  async beat(sequence: number, held: Lease[]): Promise<void> {
    const reply = await this.#deps.pool.beat(this.identity, held).catch((error: unknown) => {
      if (isSuperseded(error)) this.#channel.end(error);
      throw error;
    });
    this.#markResponsive();
    for (const { jobId } of reply.lost) this.#let(jobId);
    this.#channel.beatAck(sequence, reply);
    if (reply.drain) this.drain();
  }

  async checkIn(lease: Lease, checkIn: CheckIn): Promise<void> {
    await this.#deps.pool.checkIn(this.#own(lease), checkIn);
    this.#deps.changes.changed(lease.jobId);
  }

  /** Stores the result, again and again while Redis is away, and acknowledges it. */
  async result(result: RunResult): Promise<void> {
    const { lease } = result;
    const name = this.#nameOf.get(lease.jobId) ?? "";
    const maxFails = this.#types.get(name)?.maxFails;
    const isGivenBack = result.outcome === "released" || result.outcome === "refused";
    // the job goes to the front of its queue: the next worker that is free is not to be this one
    if (isGivenBack && this.#held.has(lease.jobId)) this.#openTypes.backOff(name);
    this.#let(lease.jobId);
    const store = () => storeResult(this.#deps.pool, this.identity, result, maxFails);
    const verdict = await storeWithRetry(store, this.#retries.signal);
    this.#channel.resultAck(lease, verdict);
    this.#deps.changes.changed(lease.jobId);
  }

  command(lease: Lease, command: JobCommand): void {
    this.#channel.command(lease, command);
  }

  /** Gives back what was sent and never came. Called now and then. */
  async takeBackUnheard(): Promise<void> {
    const before = this.#deps.clock.now() - this.#deps.terms.acceptMs;
    const unheard = this.#unheard(before);
    if (unheard.length === 0) return;
    this.#stream.apply("assign not accepted");
    await this.#deps.pool.takeBack(this.identity, unheard);
    for (const { jobId, token } of unheard) {
      const held = this.#held.get(jobId);
      // the worker may have claimed the job again meanwhile
      if (held?.token === token) {
        if (held.sentAt === undefined) this.#channel.lost([{ jobId, token }]);
        this.#let(jobId);
      }
      this.#deps.changes.changed(jobId);
    }
  }

  /** The worker takes no more jobs. */
  async draining(): Promise<void> {
    this.#stream.apply("draining");
    await this.#deps.pool.update(this.identity, this.#info());
  }

  /** Asks the worker to finish and go. */
  drain(): void {
    if (this.#stream.apply("drain")) this.#channel.drain();
  }

  /** Ends the retries of results and releases the lease. To be called when the stream has closed. */
  async close(release: LeaseRelease): Promise<void> {
    this.#retries.abort(new Error("the stream is over"));
    this.#openTypes.stop();
    if (release === "leave") await this.#deps.pool.leave(this.identity);
    if (release === "disconnect") await this.#deps.pool.disconnect(this.identity, this.#unheard());
  }

  /** What was sent before then and not accepted. */
  #unheard(before = Number.POSITIVE_INFINITY): Lease[] {
    const unheard = [...this.#held].filter(([, { sentAt }]) => sentAt !== undefined && sentAt < before);
    return unheard.map(([jobId, { token }]) => ({ jobId, token }));
  }

  /** The worker reads its stream: if it was unresponsive, it may have jobs again. */
  #markResponsive(): void {
    if (this.#stream.apply("accept or beat")) this.#deps.onFree();
  }

  async #claimable(name: string): Promise<ClaimableType> {
    const { maxRunning = 0, maxKeyPercent = 0 } = this.#types.get(name) ?? {};
    const mostOfKey = maxKeyPercent === 0 ? 0 : await this.#deps.keyLimits.mostOfKey(name, maxKeyPercent);
    return { name, most: maxRunning, mostOfKey };
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

  #let(jobId: string): void {
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

/** Whether the pool refused the stream itself. Any other error, such as a pool that is full, says nothing about it. */
function isSuperseded(error: unknown): error is ReasonedError {
  return error instanceof ReasonedError && (error.reason === "LEASE_LOST" || error.reason === "WORKER_SUPERSEDED");
}
