import { ReasonedError } from "@drydock/shared/errors.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { ControllerSignals } from "../ports/signals.ts";

/** What draining a worker needs. */
export interface DrainWorkerDeps {
  pool: JobPool;
  signals: ControllerSignals;
}

/** Asks a worker to finish and go, whichever controller it is connected to. */
export async function drainWorker({ pool, signals }: DrainWorkerDeps, workerId: string): Promise<void> {
  const workers = await pool.workers();
  if (!workers.some((worker) => worker.workerId === workerId)) {
    throw new ReasonedError("WORKER_NOT_FOUND", `there is no worker ${workerId}`, {
      metadata: { worker_id: workerId },
      resource: { type: "drydock.job.v1.Worker", name: workerId },
    });
  }
  await signals.askToDrain(workerId);
}
