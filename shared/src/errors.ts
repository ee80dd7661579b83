/** The gRPC statuses that Drydock answers with, by name (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export type StatusName =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "RESOURCE_EXHAUSTED"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "CANCELLED"
  | "DEADLINE_EXCEEDED";

/** One row of the catalogue. */
export interface ErrorEntry {
  status: StatusName;
  /** What it means and what to do, in a sentence each; docs/errors.md shows it. */
  meaning: string;
}

/** Every error an RPC may answer with, by its stable reason. docs/errors.md is compared with this table by a test. */
export const errorCatalogue = {
  FIELD_INVALID: {
    status: "INVALID_ARGUMENT",
    meaning: "A field breaks its rule. The BadRequest detail names each field and its rule; mend them and call again.",
  },
  MESSAGE_INVALID: {
    status: "INVALID_ARGUMENT",
    meaning:
      "The bytes of the message are no request of this RPC. Generate the client from the .proto files of this version.",
  },
  JOB_NAME_UNKNOWN: {
    status: "INVALID_ARGUMENT",
    meaning:
      "No worker has ever registered a job type of this name. Check the spelling, or start a worker that knows it.",
  },
  SCHEMA_UNUSABLE: {
    status: "FAILED_PRECONDITION",
    meaning:
      "The stored schema of the job type cannot be used by this version of the controller; the message names the place and the rule. Mend the schema in its workers and restart them, which registers it anew.",
  },
  CHECK_TIMED_OUT: {
    status: "INVALID_ARGUMENT",
    meaning:
      "Checking the parameters by the schema of their job type took too long. Send smaller parameters, or simplify the schema: mind its patterns, uniqueItems and schemas that refer to themselves.",
  },
  CHECK_QUEUE_FULL: {
    status: "RESOURCE_EXHAUSTED",
    meaning:
      "Too many parameters of this job type whose check may take long wait for it. Call again after the delay that RetryInfo gives.",
  },
  JOB_NOT_FOUND: {
    status: "NOT_FOUND",
    meaning:
      "There is no job of this id: it never existed, or it is past its keep time. Launch it anew; a report that it made may still be there, by GetReport.",
  },
  RECORD_VERSION_UNKNOWN: {
    status: "FAILED_PRECONDITION",
    meaning:
      "The job was stored by another version of the controller, in a form that this one cannot read. It was left as it is: ask a controller of that version, or upgrade this one.",
  },
  REPORT_NOT_FOUND: {
    status: "NOT_FOUND",
    meaning:
      "There is no report: nothing was scanned, not yet, or it is past its keep time; the message says what is known. Wait for the job to be SUCCESS, or launch a scan of the image.",
  },
  POLICY_NOT_FOUND: {
    status: "NOT_FOUND",
    meaning: "There is no policy of this name. ListPolicies shows those that there are.",
  },
  EXCEPTION_NOT_FOUND: {
    status: "NOT_FOUND",
    meaning:
      "There is no exception of this id: it never existed, was deleted, or ended long ago. ListExceptions shows those that there are.",
  },
  POLICIES_FULL: {
    status: "RESOURCE_EXHAUSTED",
    meaning:
      "There are as many policies (200) or exceptions (10,000) as there may be. Delete those that nobody needs; one of a vulnerability without a repository takes the place of many.",
  },
  JOB_ALREADY_EXISTS: {
    status: "ALREADY_EXISTS",
    meaning:
      "A unique job of the same name and key is alive; ResourceInfo names it. Wait for it, or stop it. While it ends, or others launch of its key, RetryInfo says when to call again.",
  },
  JOB_STATUS_FORBIDS: {
    status: "FAILED_PRECONDITION",
    meaning:
      "The job's status does not allow this. The PreconditionFailure detail names the status and what to do instead.",
  },
  LEASE_LOST: {
    status: "ABORTED",
    meaning: "To workers only: the token is not the job's any more. Abandon the job and report nothing.",
  },
  WORKER_SUPERSEDED: {
    status: "FAILED_PRECONDITION",
    meaning: "To workers only: a newer process has the same worker id. Give each worker an id of its own.",
  },
  PROTOCOL_VIOLATION: {
    status: "FAILED_PRECONDITION",
    meaning: "To workers only: a message came that the protocol does not allow here.",
  },
  WORKER_NOT_FOUND: {
    status: "NOT_FOUND",
    meaning: "No worker of this id has a lease. ListWorkers shows those that have.",
  },
  POOL_FULL: {
    status: "RESOURCE_EXHAUSTED",
    meaning:
      "Too many jobs wait, or Redis is nearly full. Call again after the delay that RetryInfo gives. A launch that was answered before, by its request id or a sub-job's key, is answered again.",
  },
  MESSAGE_TOO_LARGE: {
    status: "RESOURCE_EXHAUSTED",
    meaning:
      "The message is larger than the server takes (4 MiB, or 200,000 messages and list entries in it). Send less.",
  },
  REQUEST_TIMED_OUT: {
    status: "DEADLINE_EXCEEDED",
    meaning:
      "A message of the request was begun, or expected, and did not come whole in time (30 s). Nothing of it was taken. Send it without a pause, or a smaller one.",
  },
  REPORT_TOO_LARGE: {
    status: "RESOURCE_EXHAUSTED",
    meaning:
      "The report is larger than one answer may be, or there is more to compare or export than memory allows; the message says which. Ask for the report by drydock.report.v1.ReportService/StreamReport, which sends it in parts; compare two images instead of a repository.",
  },
  SERVER_BUSY: {
    status: "RESOURCE_EXHAUSTED",
    meaning:
      "Other requests, answers, uploads, log pieces or launches hold all the memory that there is for them. Call again after the delay that RetryInfo gives.",
  },
  TOO_MANY_OPEN: {
    status: "RESOURCE_EXHAUSTED",
    meaning:
      "Too many connections, calls or watches are open, in all or from one address; the message says which and how many may be. End those that nobody needs, and call again after the delay that RetryInfo gives.",
  },
  SLOW_READER: {
    status: "RESOURCE_EXHAUSTED",
    meaning: "The other side of the stream does not read what it is sent. Open it again, and read it.",
  },
  REDIS_UNAVAILABLE: {
    status: "UNAVAILABLE",
    meaning:
      "Redis does not answer, or refuses for now: it is a replica, lacks replicas, cannot save or is loading, or rejects the controller's user. Nothing was lost; call again after the delay that RetryInfo gives. The message has Redis' words, what they mean and the remedy, as /readyz, CheckStatus and the log have them.",
  },
  POOL_FORMAT_MISMATCH: {
    status: "UNAVAILABLE",
    meaning:
      "This controller's version or DRYDOCK_SHARDS does not fit the pool in Redis; the message says what an operator has to mend. The call is not at fault: call again, another controller may answer.",
  },
  REPORT_STORE_UNAVAILABLE: {
    status: "UNAVAILABLE",
    meaning:
      "The PostgreSQL that DRYDOCK_REPORT_STORE names does not answer, or refuses for now; jobs go on without it. Nothing was lost; call again after the delay that RetryInfo gives. The message has PostgreSQL's words, what they mean and the remedy, as /readyz, CheckStatus and the log have them.",
  },
  SHUTTING_DOWN: {
    status: "UNAVAILABLE",
    meaning: "This controller is shutting down. Call again; another one will answer.",
  },
  INTERNAL: {
    status: "INTERNAL",
    meaning: "A fault in Drydock. The log has the cause under the request id that RequestInfo gives.",
  },
} as const satisfies Record<string, ErrorEntry>;

/** The stable reason of an error that an RPC may answer with. */
export type ErrorReason = keyof typeof errorCatalogue;

/** A field that breaks its rule. */
export interface FieldViolation {
  /** The path as the caller writes it, e.g. job.parameters.tag. */
  field: string;
  /** The rule, e.g. "must not be longer than 128 characters". */
  description: string;
}

/** What an error tells beyond its reason and message; each becomes the google.rpc detail of the like name. */
export interface ErrorFacts {
  /** All values that the message names (ErrorInfo.metadata). */
  metadata?: Record<string, string>;
  /** The fields that break their rules (BadRequest). */
  violations?: FieldViolation[];
  /** The thing it is about (ResourceInfo). */
  resource?: { type: string; name: string; description?: string };
  /** The state that forbids it (PreconditionFailure). */
  precondition?: { type: string; subject: string; description: string };
  /** When to try again (RetryInfo), in milliseconds. */
  retryAfterMs?: number;
  /** The cause; goes to the log, never to the caller. */
  cause?: unknown;
}

/**
 * An error with a stable reason: the only kind whose text reaches a caller. It is an answer, so it has no stack, which would be
 * most of its cost; INTERNAL, which is a fault, has one.
 */
export class ReasonedError extends Error {
  override readonly name = "ReasonedError";
  readonly reason: ErrorReason;
  readonly facts: ErrorFacts;

  constructor(reason: ErrorReason, message: string, facts: ErrorFacts = {}) {
    const { stackTraceLimit } = Error;
    if (reason !== "INTERNAL") Error.stackTraceLimit = 0;
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.reason = reason;
    this.facts = facts;
  }
}

/** An error for fields that break their rules; the message lists them all. */
export function fieldsInvalid(violations: FieldViolation[]): ReasonedError {
  const list = violations.map(({ field, description }) => `${field} ${description}`).join("; ");
  return new ReasonedError("FIELD_INVALID", list, { violations });
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
