/**
 * Whose fault a failed run is. "job": the job's; the run uses an attempt. "outside": a registry or scanner is away for now;
 * the job is postponed and no attempt is used. "worker": this worker's set-up; the job is released for another worker.
 */
export type Fault = "job" | "outside" | "worker";

/** What a reason means for the job and for others of its type. */
export interface Ruling {
  fault: Fault;
  /** Whether it concerns all jobs of the type, so that the worker takes none until a probe has passed. */
  closesType: boolean;
}

const jobs: Ruling = { fault: "job", closesType: false };
/** A registry or scanner as a whole is away. */
const away: Ruling = { fault: "outside", closesType: true };
/** A registry or scanner failed at one request. */
const unable: Ruling = { fault: "outside", closesType: false };
/** The worker can do no job of the type. */
const unfit: Ruling = { fault: "worker", closesType: true };
/** The worker may not do this one job; another one may. */
const refused: Ruling = { fault: "worker", closesType: false };

/** The reasons that are not the job's fault; docs/errors.md shows them, and a test compares. */
const rulings: Readonly<Record<string, Ruling>> = {
  REGISTRY_UNREACHABLE: away,
  REGISTRY_TIMEOUT: away,
  REGISTRY_RATE_LIMITED: away,
  REGISTRY_FAULT: unable,
  SCANNER_UNREACHABLE: away,
  SCANNER_TIMEOUT: away,
  SCANNER_RATE_LIMITED: away,
  SCANNER_FAULT: unable,
  SCANNER_CANNOT_FETCH: unable,
  SCANNER_LOST_LAYERS: unable,
  PROBE_FAILED: away,
  REGISTRY_URL_INVALID: unfit,
  REGISTRY_AUTH_REJECTED: unfit,
  REGISTRY_AUTH_UNSUPPORTED: unfit,
  REGISTRY_REALM_REFUSED: unfit,
  REGISTRY_REDIRECT_REFUSED: unfit,
  REGISTRY_ADDRESS_REFUSED: unfit,
  REGISTRY_UNSUPPORTED: unfit,
  REGISTRY_TLS_INVALID: unfit,
  SCANNER_UNSUPPORTED: unfit,
  SCANNER_TLS_INVALID: unfit,
  ACCESS_DENIED: refused,
};

/** The ruling for failures of a reason that have none of their own; reasons that are not in the table are the job's. */
export function rulingOf(reason: string): Ruling {
  return Object.hasOwn(rulings, reason) ? (rulings[reason] ?? jobs) : jobs;
}
