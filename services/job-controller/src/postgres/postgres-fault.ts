import { ReasonedError, toError } from "@drydock/shared/errors.ts";

/** RetryInfo while PostgreSQL is away, in milliseconds. */
const retryAfterMs = 2_000;

/** Why PostgreSQL cannot be worked with: the same for the log, /readyz, CheckStatus and the calls that fail for it. */
export interface PostgresFault {
  /** What the words mean, e.g. "PostgreSQL is a standby". */
  meaning: string;
  /** In the words of PostgreSQL or the system, without the password. */
  words: string;
  remedy: string;
}

interface Row {
  /** PostgreSQL's code (SQLSTATE), the system's, or the client's words. */
  said: RegExp;
  meaning: string;
  remedy: string;
}

const urlRemedy = "correct user and password in DRYDOCK_REPORT_STORE: postgres://USER:PASSWORD@HOST:5432/DATABASE";

/** What PostgreSQL, the system and the client say of a server that is away, not ready or not set up. */
const faults: readonly Row[] = [
  {
    said: /^28/,
    meaning: "PostgreSQL rejects the user or password",
    remedy: `Let pg_hba.conf admit the controller, or ${urlRemedy}`,
  },
  {
    said: /^no password/,
    meaning: "PostgreSQL requires a password",
    remedy: `Set one: ${urlRemedy}`,
  },
  {
    said: /^3D000/,
    meaning: "PostgreSQL has no such database",
    remedy: "Create it, or correct its name at the end of DRYDOCK_REPORT_STORE",
  },
  {
    said: /^42501/,
    meaning: "PostgreSQL denies the controller's user a right",
    remedy: "Let the user create the schema drydock and own what is in it: GRANT CREATE ON DATABASE … TO …",
  },
  {
    said: /^25006/,
    meaning: "PostgreSQL is a standby, or accepts no writes",
    remedy: "Point DRYDOCK_REPORT_STORE at the primary, or promote this one",
  },
  {
    said: /^53300/,
    meaning: "PostgreSQL has as many clients as its setting allows",
    remedy: "Raise max_connections; each controller takes up to 10",
  },
  { said: /^53100/, meaning: "PostgreSQL has no room on its disk", remedy: "Make room on its disk" },
  { said: /^53/, meaning: "PostgreSQL lacks memory or other means", remedy: "See the log of PostgreSQL" },
  { said: /^57P03/, meaning: "PostgreSQL is starting or stopping", remedy: "Wait until it accepts connections" },
  { said: /^57P0/, meaning: "PostgreSQL closed the connection", remedy: "Wait until it accepts connections" },
  {
    said: /^(57014|55P03|Query read timeout|timeout)/,
    meaning: "PostgreSQL takes too long for an answer",
    remedy: "Look at its load and locks: pg_stat_activity",
  },
  {
    said: /^(40|25P0[23])/,
    meaning: "PostgreSQL gave up a transaction for others",
    remedy: "Call again; if it lasts, look at its load and locks: pg_stat_activity",
  },
  { said: /^(58|XX)/, meaning: "PostgreSQL has a fault of its own", remedy: "See the log of PostgreSQL" },
  {
    said: /^ECONNREFUSED/,
    meaning: "PostgreSQL cannot be reached",
    remedy: "Nothing listens there: start PostgreSQL, or correct host and port in DRYDOCK_REPORT_STORE",
  },
  {
    said: /^(ENOTFOUND|EAI_AGAIN)/,
    meaning: "the host of PostgreSQL cannot be found",
    remedy: "Correct the host in DRYDOCK_REPORT_STORE, or mend the name service",
  },
  {
    said: /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)/,
    meaning: "PostgreSQL cannot be reached",
    remedy: "Look at the network, or correct host and port in DRYDOCK_REPORT_STORE",
  },
  {
    said: /^The server does not support SSL/,
    meaning: "PostgreSQL does not speak TLS",
    remedy: "Set ssl in postgresql.conf, or sslmode=disable in DRYDOCK_REPORT_STORE",
  },
  {
    said: /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/,
    meaning: "the certificate of PostgreSQL cannot be trusted",
    remedy: "Name its authority by sslrootcert in DRYDOCK_REPORT_STORE, or correct the host",
  },
  {
    said: /^(08|ECONNRESET|EPIPE|Connection terminated|Connection ended|Client has encountered)/,
    meaning: "PostgreSQL closed the connection",
    remedy: "Is PostgreSQL up? Until it is, a new connection is tried about every second",
  },
];

/** What Node appends to an error of a certificate. */
const advice = /; if the root CA is installed locally.*$/;

/** What an operator reads of a fault of PostgreSQL or of the connection to it; undefined for a fault of Drydock's. */
export function explain(thrown: unknown, password = ""): PostgresFault | undefined {
  const error = firstOf(toError(thrown));
  const { code = "" } = error as { code?: unknown };
  const { message } = error;
  const plain = /SASL|password must be a string/.test(message) ? "no password" : message;
  const row = faults.find(({ said }) => said.test(String(code))) ?? faults.find(({ said }) => said.test(plain));
  if (row === undefined) return undefined;
  const text = (message || String(code)).replace(advice, "");
  const words = password === "" ? text : text.replaceAll(password, "***");
  return { meaning: row.meaning, words, remedy: row.remedy };
}

/** The fault as one text. */
export function describeFault({ meaning, words, remedy }: PostgresFault): string {
  return `${meaning}: ${words}. ${remedy}`;
}

/** Reports cannot be stored or read now; the text says why, and what an operator has to mend. */
export function storeUnavailable(text: string, cause?: unknown): ReasonedError {
  return new ReasonedError("REPORT_STORE_UNAVAILABLE", text, { retryAfterMs, cause });
}

/** A fault of PostgreSQL as the error that callers see; any other error as it is. */
export function toReasonedError(thrown: unknown, password?: string): Error {
  if (thrown instanceof ReasonedError) return thrown;
  const fault = explain(thrown, password);
  return fault === undefined ? toError(thrown) : storeUnavailable(describeFault(fault), thrown);
}

/** Several addresses of one host failed: each has its error. */
function firstOf(error: Error): Error {
  return error instanceof AggregateError ? toError(error.errors[0] ?? error) : error;
}
