/**
 * Whose fault it is that a run did not come to its end. "job": the job's, which has used an attempt. "outside": what the
 * job needs is away for now; the job waits and has used none. "worker": this worker's set-up; the job goes to another one.
 */
export type Fault = "job" | "outside" | "worker";

/** What a reason means for the job and for others of its type. */
export interface Ruling {
  fault: Fault;
  /** Whether it concerns all jobs of the type, so that the worker takes none until a probe has passed. */
  closesType: boolean;
}

const jobs: Ruling = { fault: "job", closesType: false };
/** The outside as a whole can't be used. */
const away: Ruling = { fault: "outside", closesType: true };
/** The outside could not do this one thing for now. */
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

/** What a reason means when its failure does not say otherwise: the job's fault, unless the table has it. */
export function rulingOf(reason: string): Ruling {
  return Object.hasOwn(rulings, reason) ? (rulings[reason] ?? jobs) : jobs;
}
