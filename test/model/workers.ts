import type { HeldLease, JobCommand, Lease } from "@drydock/job-controller/domain/job.ts";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import type { ClosedType, WorkerIdentity } from "@drydock/job-controller/domain/worker.ts";
import type {
  BeatReply,
  CheckIn,
  Failure,
  HelloReply,
  Postponement,
  Refusal,
  Verdict,
} from "@drydock/job-controller/ports/job-pool.ts";
import type { Backoff } from "@drydock/shared/backoff.ts";
import { tellCheckIn } from "./hooks.ts";
import { Refusals } from "./refusals.ts";
import { refuse } from "./refused.ts";
import { ableWorkers, giveBack, lose, loseAll } from "./returns.ts";
import { finish, type ModelJob, type ModelPool, nextToken, statusAfter } from "./state.ts";

const { leaseMs, acceptMs, brokenMs, graceMs, refusalMs } = defaultLeaseTerms;
/** How much later than the grace time a worker that does not obey loses the job. */
const graceMarginMs = 5_000;

/** Makes a worker known; a new process of its id has lost what the old one held, which is refused from then on. */
export function hello(pool: ModelPool, worker: WorkerIdentity, named: Lease[]): HelloReply {
  const { workerId, incarnation, session } = worker;
  const turn = pool.newFront();
  const known = pool.workers.get(workerId);
  rememberProcess(pool, worker);
  if (known !== undefined && known.incarnation !== incarnation) loseAll(pool, workerId, turn);
  pool.workers.set(workerId, {
    incarnation,
    session,
    leaseEndsAt: pool.now + leaseMs,
    draining: false,
    closed: new Map(),
  });
  const reply: HelloReply = { keep: [], drop: [], commands: [], drain: isToDrain(pool, worker) };
  const kept = new Set<ModelJob>();
  for (const lease of named) {
    const job = heldUnder(pool, workerId, lease);
    (job === undefined ? reply.drop : reply.keep).push(lease);
    if (job !== undefined) kept.add(job);
  }
  for (const job of pool.heldBy(workerId)) {
    if (!kept.has(job)) giveBack(pool, job, turn);
    else if (job.command !== undefined) reply.commands.push(openCommand(job, job.command));
  }
  return reply;
}

function rememberProcess(pool: ModelPool, { workerId, incarnation }: WorkerIdentity): void {
  const processes = pool.processes.get(workerId) ?? [];
  if (processes.slice(0, -1).includes(incarnation)) refuse("WORKER_SUPERSEDED");
  if (!processes.includes(incarnation)) pool.processes.set(workerId, [...processes, incarnation]);
}

/** Renews a worker's lease; a job that does not obey in time, or that the worker never accepted, is taken from it. */
export function beat(pool: ModelPool, worker: WorkerIdentity, named: Lease[]): BeatReply {
  const known = checkWorker(pool, worker);
  known.leaseEndsAt = pool.now + leaseMs;
  const turn = pool.newFront();
  const mine = pool.heldBy(worker.workerId);
  const kept = new Set(named.map((lease) => heldUnder(pool, worker.workerId, lease)));
  const overdue = mine.filter((job) => kept.has(job) && isOverdue(pool, job));
  const unaccepted = mine.filter((job) => !kept.has(job) && pool.now - job.startedAt > acceptMs);
  const lost = named.filter((lease) => {
    const job = heldUnder(pool, worker.workerId, lease);
    return job === undefined || overdue.includes(job);
  });
  for (const job of unaccepted) giveBack(pool, job, turn);
  for (const job of overdue) {
    job.token = nextToken(pool, job);
    finish(pool, job, statusAfter(job.command ?? "stop"));
  }
  const open = mine.filter((job) => kept.has(job) && job.command !== undefined);
  const commands = open.map((job) => openCommand(job, job.command ?? "stop"));
  return { lost, commands, drain: isToDrain(pool, worker) };
}

/** A worker takes no more jobs, unless a newer stream has taken over. */
export function startDraining(pool: ModelPool, { workerId, session }: WorkerIdentity): void {
  const known = pool.workers.get(workerId);
  if (known?.session === session) known.draining = true;
}

/** A worker closes a job type, or opens it, unless a newer stream has taken over. */
export function closeType(pool: ModelPool, { workerId, session }: WorkerIdentity, name: string, closed?: ClosedType) {
  const known = pool.workers.get(workerId);
  if (known?.session !== session) return;
  if (closed === undefined) known.closed.delete(name);
  else known.closed.set(name, closed);
}

/** An operator wants the present process of the worker to go. */
export function drainWorker(pool: ModelPool, workerId: string): void {
  const known = pool.workers.get(workerId);
  if (known === undefined || known.leaseEndsAt < pool.now) refuse("WORKER_NOT_FOUND");
  pool.drained.set(workerId, known.incarnation);
}

function isToDrain(pool: ModelPool, { workerId, incarnation }: WorkerIdentity): boolean {
  return pool.drained.get(workerId) === incarnation;
}

function isOverdue(pool: ModelPool, job: ModelJob): boolean {
  return job.command !== undefined && pool.now - job.commandAt > graceMs + graceMarginMs;
}

/** A broken stream leaves little of the lease, and what was not accepted is lost, unless a newer stream has taken over. */
export function disconnect(pool: ModelPool, worker: WorkerIdentity, unaccepted: Lease[]): void {
  const { workerId, session } = worker;
  const known = pool.workers.get(workerId);
  if (known?.session !== session) return;
  known.leaseEndsAt = Math.min(known.leaseEndsAt, pool.now + brokenMs);
  const turn = pool.newFront();
  for (const job of heldAmong(pool, workerId, unaccepted)) lose(pool, job, turn);
}

/** What was not accepted is given back, unless a newer stream has taken over. The lease is no longer than a new one. */
export function takeBack(pool: ModelPool, { workerId, session }: WorkerIdentity, unaccepted: Lease[]): void {
  const known = pool.workers.get(workerId);
  if (known?.session !== session) return;
  known.leaseEndsAt = Math.min(known.leaseEndsAt, pool.now + leaseMs);
  const turn = pool.newFront();
  for (const job of heldAmong(pool, workerId, unaccepted)) giveBack(pool, job, turn);
}

/** A worker goes by plan, unless a newer stream has taken over. */
export function leave(pool: ModelPool, { workerId, session }: WorkerIdentity): void {
  if (pool.workers.get(workerId)?.session !== session) return;
  const turn = pool.newFront();
  for (const job of pool.heldBy(workerId)) giveBack(pool, job, turn);
  pool.workers.delete(workerId);
}

/** What the handler says; absent parts leave what was said before. */
export function checkIn(pool: ModelPool, lease: HeldLease, shown: CheckIn): void {
  const job = pool.find(lease.jobId);
  if (standing(pool, job, lease) !== "held") refuse("LEASE_LOST");
  note(pool, job, shown);
  if (shown.text !== undefined) tellCheckIn(pool, job);
}

/** A run that ended well. */
export function succeed(pool: ModelPool, lease: HeldLease, shown: CheckIn): Verdict {
  return settle(pool, lease, (job) => {
    note(pool, job, shown);
    finish(pool, job, "SUCCESS");
  });
}

/** A failed attempt. What was to end ends; else another follows, if reason, attempts and the worker allow it. */
export function fail(pool: ModelPool, lease: HeldLease, failure: Failure & Jitter, shown: CheckIn): Verdict {
  const { reason, message, retry } = failure;
  return settle(pool, lease, (job) => {
    note(pool, job, shown);
    job.lastError = { reason, message, attempt: job.attempt, at: pool.now };
    const attempts = job.policy?.maxAttempts || failure.maxFails;
    const isLast = job.attempt >= attempts || job.policy?.finalReasons.includes(reason) === true;
    if (job.command !== undefined) finish(pool, job, statusAfter(job.command));
    else if (typeof retry !== "number" || isLast) finish(pool, job, "ERROR");
    else
      Object.assign(job, {
        status: "SCHEDULED",
        runAt: pool.now + waitOf(job, retry, failure),
        postponedSince: 0,
        refusals: new Refusals(),
      });
  });
}

/** Another run later, without using an attempt; when the patience is over, the attempt has failed for good. */
export function postpone(
  pool: ModelPool,
  lease: HeldLease,
  postponement: Postponement & Jitter,
  shown: CheckIn,
): Verdict {
  const { delayMs, patienceMs, reason, message } = postponement;
  return settle(pool, lease, (job) => {
    note(pool, job, shown);
    if (patienceMs !== undefined && job.command === undefined) {
      job.postponedSince ||= pool.now;
      if (pool.now - job.postponedSince > patienceMs) {
        job.lastError = { reason, message, attempt: job.attempt, at: pool.now };
        finish(pool, job, "ERROR");
        return;
      }
    }
    if (job.command !== undefined) finish(pool, job, statusAfter(job.command));
    else Object.assign(job, { status: "SCHEDULED", runAt: pool.now + waitOf(job, delayMs, postponement) });
    job.attempt--;
  });
}

/** How much of the longest wait of a back-off a job waits, from 0 to 1. */
interface Jitter {
  jitter: number;
}

/** The wait before the next run: by the back-off of the launch or of the type, or longer if that is asked for. */
function waitOf({ attempt, policy }: ModelJob, leastMs: number, { backoff, jitter }: { backoff: Backoff } & Jitter) {
  const [baseMs, capMs] = [policy?.backoffBaseMs || backoff.baseMs, policy?.backoffCapMs || backoff.capMs];
  let longestMs = baseMs;
  for (let failed = 1; failed < attempt; failed++) longestMs *= 2;
  return Math.max(leastMs, Math.floor(Math.min(longestMs, capMs) * jitter));
}

/** The worker may not do it: others get it, until all have been refused for the grace, or the patience is over. */
export function refuseTo(pool: ModelPool, lease: HeldLease, refusal: Refusal, shown: CheckIn): Verdict {
  const { patienceMs = Number.POSITIVE_INFINITY, reason, message } = refusal;
  return settle(pool, lease, (job) => {
    job.postponedSince ||= pool.now;
    const process = processOf(pool, job.workerId);
    const present = ableWorkers(pool, job.name).map((workerId) => processOf(pool, workerId));
    const isFinal = job.refusals.note(process, present, { now: pool.now, graceMs: refusalMs });
    if (job.command === undefined && (isFinal || pool.now - job.postponedSince > patienceMs)) {
      job.lastError = { reason, message, attempt: job.attempt, at: pool.now };
      finish(pool, job, "ERROR");
      return;
    }
    job.attempt--;
    note(pool, job, shown);
    if (job.command !== undefined) finish(pool, job, statusAfter(job.command));
    else Object.assign(job, { status: "PENDING", turn: pool.newBack() });
  });
}

/** Whether the job is not given to the worker's present process now. */
export function isBarred(pool: ModelPool, { refusals }: ModelJob, workerId: string): boolean {
  return refusals.bars(processOf(pool, workerId), pool.now) || refusals.bars(workerId, pool.now);
}

function processOf({ workers }: ModelPool, workerId: string): string {
  return `${workerId} ${workers.get(workerId)?.incarnation}`;
}

/** The handler obeyed; what was asked for last counts. */
export function confirm(pool: ModelPool, lease: HeldLease, command: JobCommand): Verdict {
  return settle(pool, lease, (job) => finish(pool, job, statusAfter(job.command ?? command)));
}

/** Back to the front. */
export function release(pool: ModelPool, lease: HeldLease): Verdict {
  return settle(pool, lease, (job) => giveBack(pool, job, pool.newFront()));
}

/** The worker, if it is known and no newer process or stream of its id is. */
export function checkWorker(pool: ModelPool, { workerId, incarnation, session }: WorkerIdentity) {
  const known = pool.workers.get(workerId) ?? refuse("LEASE_LOST");
  if (known.incarnation !== incarnation) refuse("WORKER_SUPERSEDED");
  if (known.session !== session) refuse("LEASE_LOST");
  return known;
}

/** A result counts once, and only from whoever holds the job. */
function settle(pool: ModelPool, lease: HeldLease, apply: (job: ModelJob) => void): Verdict {
  const job = pool.find(lease.jobId);
  const stands = standing(pool, job, lease);
  if (stands !== "held") return stands;
  apply(job);
  return "accepted";
}

/** Whether the lease holds the job, which is that of the worker's present process; token 0 is nobody's. */
export function standing(pool: ModelPool, job: ModelJob, lease: HeldLease): "held" | "duplicate" | "stale" {
  const isProcess = pool.workers.get(job.workerId)?.incarnation === lease.incarnation;
  if (job.token === 0 || job.token !== lease.token || !isProcess) return "stale";
  return job.status === "RUNNING" ? "held" : "duplicate";
}

function note(pool: ModelPool, job: ModelJob, { text, progress }: CheckIn): void {
  if (text !== undefined) Object.assign(job, { checkIn: text, checkInAt: pool.now });
  if (progress !== undefined) job.progress = progress;
}

function heldUnder(pool: ModelPool, workerId: string, { jobId, token }: Lease): ModelJob | undefined {
  return pool.heldBy(workerId).find((job) => job.id === jobId && job.token === token);
}

function heldAmong(pool: ModelPool, workerId: string, named: Lease[]): ModelJob[] {
  return named.map((lease) => heldUnder(pool, workerId, lease)).filter((job) => job !== undefined);
}

function openCommand({ id, token }: ModelJob, command: JobCommand) {
  return { lease: { jobId: id, token }, command };
}
