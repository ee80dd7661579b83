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
  /** The fault if a probe passes right after the failure. Default: the same fault, for this job alone. */
  faultIfProbePasses?: Fault;
}

const jobFault: Ruling = { fault: "job", closesType: false };
/** A registry or scanner as a whole is away. */
const outsideAway: Ruling = { fault: "outside", closesType: true };
/** A registry or scanner failed at one request. */
const outsideFault: Ruling = { fault: "outside", closesType: false };
/** The worker can do no job of the type. */
const workerFault: Ruling = { fault: "worker", closesType: true };
/** Something else answers at the address of a registry or scanner. If a probe passes, the registry or scanner was away. */
const otherServer: Ruling = { ...workerFault, faultIfProbePasses: "outside" };
/** The worker may not do this one job; another one may. */
const workerRefused: Ruling = { fault: "worker", closesType: false };

/** The reasons that are not the job's fault; docs/errors.md shows them, and a test compares. */
const rulings: Readonly<Record<string, Ruling>> = {
  REGISTRY_UNREACHABLE: outsideAway,
  REGISTRY_TIMEOUT: outsideAway,
  REGISTRY_RATE_LIMITED: outsideAway,
  REGISTRY_FAULT: outsideFault,
  SCANNER_UNREACHABLE: outsideAway,
  SCANNER_TIMEOUT: outsideAway,
  SCANNER_RATE_LIMITED: outsideAway,
  SCANNER_FAULT: outsideFault,
  SCANNER_CANNOT_FETCH: outsideFault,
  SCANNER_LOST_LAYERS: outsideFault,
  PROBE_FAILED: outsideAway,
  REGISTRY_URL_INVALID: workerFault,
  REGISTRY_AUTH_REJECTED: workerFault,
  REGISTRY_AUTH_UNSUPPORTED: workerFault,
  REGISTRY_REALM_REFUSED: workerFault,
  REGISTRY_REDIRECT_REFUSED: workerFault,
  REGISTRY_ADDRESS_REFUSED: workerFault,
  REGISTRY_UNSUPPORTED: otherServer,
  REGISTRY_TLS_INVALID: workerFault,
  SCANNER_UNSUPPORTED: otherServer,
  SCANNER_TLS_INVALID: workerFault,
  ACCESS_DENIED: workerRefused,
};

/** The ruling for failures of a reason that have none of their own; reasons that are not in the table are the job's. */
export function rulingOf(reason: string): Ruling {
  return Object.hasOwn(rulings, reason) ? (rulings[reason] ?? jobFault) : jobFault;
}
