import type { HeldLease } from "../domain/job.ts";

/** A layer that a scanner is to be given. */
export interface ScannerLayer {
  /** Names the scanner's server. */
  scanner: string;
  /** The scanner's name of the layer. */
  layer: string;
}

/**
 * Of the jobs of all workers that want to give a scanner the same layer, one has the layer's lock at a time. The lock saves
 * work and guards nothing: it ends by itself, and is gone when Redis loses it.
 * @throws ReasonedError REDIS_UNAVAILABLE
 */
export interface LayerLocks {
  /**
   * Takes the lock for 15 s from now, also when the job has it already. False while another job has it.
   * @throws ReasonedError JOB_NOT_FOUND, LEASE_LOST; POOL_FULL when Redis has no memory for it
   */
  lock(lease: HeldLease, layer: ScannerLayer): Promise<boolean>;
  /** Gives the lock back, if the job has it. */
  unlock(lease: HeldLease, layer: ScannerLayer): Promise<void>;
}
