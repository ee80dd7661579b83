import { finish, type ModelJob, type ModelPool, nextToken, statusAfter } from "./state.ts";

/** Takes a running job back to the front; whoever held it is not heard again. If it was to end, it ends. */
export function giveBack(pool: ModelPool, job: ModelJob, turn: number): void {
  job.attempt--;
  job.token = nextToken(pool, job);
  if (job.command !== undefined) finish(pool, job, statusAfter(job.command));
  else Object.assign(job, { status: "PENDING", turn });
}

/** The workers with a lease that may do jobs of the type. */
export function ableWorkers({ workers, now }: ModelPool, name: string): string[] {
  const able = [...workers].filter(
    ([, { leaseEndsAt, draining, closed }]) => leaseEndsAt > now && !draining && !closed.get(name)?.isWorkerFault,
  );
  return able.map(([workerId]) => workerId);
}

/** Takes a job back from a lost worker; from the third loss on that may be its end, unless it was to end anyway. */
export function lose(pool: ModelPool, job: ModelJob, turn: number): void {
  job.crashes++;
  const isCause = job.refusals.noteLoss(job.workerId, ableWorkers(pool, job.name), pool.now);
  if (job.command !== undefined || job.crashes < 3 || !isCause) {
    giveBack(pool, job, turn);
    return;
  }
  job.lastError = { reason: "WORKER_LOST", message: "", attempt: job.attempt, at: pool.now };
  job.token = nextToken(pool, job);
  finish(pool, job, "ERROR");
}

/** Takes back all that a lost worker held. */
export function loseAll(pool: ModelPool, workerId: string, turn: number): number {
  const held = pool.heldBy(workerId);
  for (const job of held) lose(pool, job, turn);
  return held.length;
}
