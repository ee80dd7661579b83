import { laneOf, waiting } from "./queue.ts";
import { finish, type ModelJob, type ModelPool } from "./state.ts";

/** When the jobs came to wait, and which of them the pool has ended. */
export interface Waits {
  updatedAt: (id: string) => number;
  ended: ReadonlySet<string>;
}

/** The jobs of a type are in ERROR that waited for longer than every worker's patience, if all have closed it for as long. */
export function expireClosed(pool: ModelPool, name: string, waits: Waits): void {
  const before = outOfPatienceBefore(pool, name);
  if (before === undefined || pool.paused.has(name)) return;
  const lanes = Map.groupBy(waiting(pool, name), (job) => `${job.priority} ${laneOf(job)}`);
  for (const lane of lanes.values()) {
    for (const { id, attempt } of overIn(lane, before, waits)) {
      const job = pool.find(id);
      job.lastError = { reason: "AWAY", message: "", attempt, at: pool.now };
      finish(pool, job, "ERROR");
    }
  }
}

function outOfPatienceBefore({ workers, now }: ModelPool, name: string): number | undefined {
  const present = [...workers.values()].filter(({ leaseEndsAt, draining }) => leaseEndsAt >= now && !draining);
  const closed = present.flatMap((worker) => worker.closed.get(name) ?? []);
  const away = closed.filter(({ isWorkerFault }) => !isWorkerFault);
  const before = now - Math.max(...away.map(({ patienceMs = Number.POSITIVE_INFINITY }) => patienceMs));
  const isOver = closed.length === present.length && away.length > 0 && away.every(({ since }) => since < before);
  return isOver ? before : undefined;
}

/** Those of a lane up to the first that came later; where that is among others of one turn, those that the pool ended went before it. */
function overIn(lane: ModelJob[], before: number, { updatedAt, ended }: Waits): ModelJob[] {
  const over: ModelJob[] = [];
  const isLate = ({ id }: ModelJob) => updatedAt(id) <= before;
  const turns = Map.groupBy(
    lane.toSorted((a, b) => a.turn - b.turn),
    ({ turn }) => turn,
  );
  for (const jobs of turns.values()) {
    const late = jobs.filter(isLate);
    if (late.length < jobs.length) return [...over, ...late.filter(({ id }) => ended.has(id))];
    over.push(...late);
  }
  return over;
}
