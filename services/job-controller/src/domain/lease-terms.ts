/** How long workers may be silent, in milliseconds. */
export interface LeaseTerms {
  /** How long a worker's jobs stay its own after a beat. */
  leaseMs: number;
  /** How often a worker beats. */
  beatMs: number;
  /** How long an assigned job may go without Accept before it goes back to the front. */
  acceptMs: number;
  /** What is left of the lease when a stream breaks without Draining: a dropped connection, a killed worker. */
  brokenMs: number;
  /** How long a handler may take to obey a stop or cancel. */
  graceMs: number;
  /** How long every present worker must have been refused for a job before the job is in ERROR; a restart is shorter. */
  refusalMs: number;
  /** Longest gap between two looks at the leases. Workers are not charged for the time of a longer one. */
  unwatchedMs: number;
}

/**
 * Short leases, renewed for all of a worker's jobs at once, so that their length has nothing to do with that of the
 * jobs: a killed worker's jobs run again within brokenMs and a second, at the latest after leaseMs and a second.
 */
export const defaultLeaseTerms: LeaseTerms = {
  leaseMs: 15_000,
  beatMs: 5_000,
  acceptMs: 5_000,
  brokenMs: 5_000,
  graceMs: 10_000,
  refusalMs: 60_000,
  unwatchedMs: 2_000,
};
