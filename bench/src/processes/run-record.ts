import { nowMs } from "../payload.ts";
import type { Runs } from "./api.ts";

/** Keeps what a worker runs. */
export class RunRecord {
  #runs = none();

  /** A run begins. @param launchedAt in microseconds since 1970 */
  add(launchedAt: number): void {
    const at = nowMs();
    const runs = this.#runs;
    if (runs.count === 0) runs.firstAt = at;
    runs.count += 1;
    runs.lastAt = at;
    runs.delays.push(at - launchedAt / 1000);
  }

  /** Gives the kept runs and forgets them. */
  take(): Runs {
    const runs = this.#runs;
    this.#runs = none();
    return runs;
  }
}

function none(): Runs {
  return { count: 0, firstAt: 0, lastAt: 0, delays: [] };
}
