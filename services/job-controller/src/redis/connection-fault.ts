import { ReasonedError } from "@drydock/shared/errors.ts";
import { refusalRemedy } from "./shards/reply-errors.ts";

/** Why Redis cannot be worked with. */
export interface ConnectionFault {
  /** In the words of Redis or the system, without the password. */
  words: string;
  remedy: string;
  /** Whether it only says that the connection has closed, and not why. */
  isConsequence: boolean;
}

/** An error of the client or of a socket. */
type Fault = Error & { code?: unknown };

const isGone = "Is Redis up? Until it is, a new connection is tried about every second";

const hasHungUp =
  "The connection was closed from there: if it always is, what answers there is not Redis, or only takes rediss://; correct DRYDOCK_REDIS_URL";

/** What is to be done, by the code of a connection's error. */
const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there: start Redis, or correct host and port in DRYDOCK_REDIS_URL",
  ENOTFOUND: "The host is not known: correct it in DRYDOCK_REDIS_URL, or mend its name service",
  EAI_AGAIN: "The host's name could not be looked up: correct it in DRYDOCK_REDIS_URL, or mend the name service",
  ETIMEDOUT: "Nothing answers there: look at the network, or correct host and port in DRYDOCK_REDIS_URL",
  EPIPE: hasHungUp,
  ECONNRESET: hasHungUp,
  EHOSTUNREACH: "No way leads there: look at the network, or correct the host in DRYDOCK_REDIS_URL",
};

/** What the client says of bytes that are no answer of Redis. */
const notRedis = /^Unknown RESP type/;
const notRedisWords = "what answers does not speak Redis' protocol";
const notRedisRemedy =
  "What answers there is not Redis, or only takes rediss://: correct host, port and scheme in DRYDOCK_REDIS_URL";

/** What Redis says of a database that does not exist, or of any but 0 when it is part of a cluster. */
const noDatabase = /^ERR .*(DB index|SELECT is not allowed)/i;
const databaseRemedy =
  "correct the number of the database at the end of DRYDOCK_REDIS_URL; Redis has as many as its setting databases says, from 0";

/** What Redis says to a new connection when it has as many as its setting allows. */
const noConnections = /ERR max number of clients[\w +]*/;
const connectionsRemedy = "raise maxclients of Redis, or end clients that nobody needs: CLIENT LIST names them";

/** Words of the client that only say that the connection has closed. */
const consequences =
  /^(Connection is closed|Stream isn't writeable|Reached the max retries|the format of the pool was)/;

/** What Redis appends to the error of a command that a script ran. */
const scriptPosition = / script: [0-9a-f]{40}, on .*$/;

/** What an operator reads of a fault of the connection. */
export function explain(thrown: Error, password?: string | null): ConnectionFault {
  const error: Fault = thrown instanceof ReasonedError && thrown.cause instanceof Error ? thrown.cause : thrown;
  const text = wordsOf(error).replace(scriptPosition, "").replace(/\.$/, "");
  return {
    words: password ? text.replaceAll(password, "***") : text,
    remedy: sentence(remedyOf(text) ?? remedies[String(error.code)] ?? isGone),
    isConsequence: consequences.test(text),
  };
}

function remedyOf(text: string): string | undefined {
  if (text === notRedisWords) return notRedisRemedy;
  if (noConnections.test(text)) return connectionsRemedy;
  return noDatabase.test(text) ? databaseRemedy : refusalRemedy(text);
}

/** Several addresses of one host failed when the text is empty. */
function wordsOf(error: Fault): string {
  if (notRedis.test(error.message)) return notRedisWords;
  if (error.message !== "") return noConnections.exec(error.message)?.[0] ?? error.message;
  const parts = error instanceof AggregateError ? error.errors.map((each: unknown) => String(each)) : [];
  return parts.join(", ") || String(error.code ?? error.name);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
