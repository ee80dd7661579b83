import { sleep } from "@drydock/shared/abort.ts";
import { backoffMs } from "@drydock/shared/backoff.ts";
import type { LayerLocks } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ScannerLayer } from "../ports/scanner.ts";

/** How often a lock is asked for while another run has it: most layers are small, and all scans of a new base wait for its first. */
const backoff = { baseMs: 20, capMs: 1_000 };
/** How often a lock is kept for longer, in milliseconds: it lasts three times as long. */
const renewMs = 5_000;

/** Whose lock it is to be, and of what. */
export interface LockWish {
  locks: LayerLocks;
  lease: Lease;
  layer: ScannerLayer;
  signal: AbortSignal;
  /** Waits; default `sleep`. */
  pause?: typeof sleep;
}

/** Does the work while the run has the layer's lock. */
export async function withLayerLock(wish: LockWish, work: () => Promise<void>): Promise<void> {
  const { locks, lease, layer, signal, pause = sleep } = wish;
  for (let tries = 1; !(await locks.lock(lease, layer, signal)); tries += 1) {
    await pause(backoffMs(backoff, tries), signal);
  }
  let renewal: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    // a run that has lost its lease hears of it otherwise
    renewal = locks.lock(lease, layer, signal).catch(() => undefined);
  }, renewMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
    // a renewal that came later would take the lock again
    void renewal.then(() => locks.unlock(lease, layer));
  }
}
