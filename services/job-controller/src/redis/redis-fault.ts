import { ReasonedError } from "@drydock/shared/errors.ts";

/** Why Redis cannot be worked with: the same for the log, /readyz, CheckStatus and the calls that fail for it. */
export interface RedisFault {
  /** What the words mean, e.g. "Redis is a replica". */
  meaning: string;
  /** In the words of Redis or the system, without the password. */
  words: string;
  remedy: string;
  /** Whether it only says that the connection has closed, and not why. */
  isConsequence: boolean;
}

/** An error of the client or of a socket. */
type Fault = Error & { code?: unknown };

interface Row {
  said: RegExp;
  meaning: string;
  remedy: string;
}

const passwordRemedy = "Set user and password in DRYDOCK_REDIS_URL: redis://USER:PASSWORD@HOST:PORT/0";

/** What Redis answers while it refuses what it would do at another time, in other settings or for another user. */
const refusals: readonly Row[] = [
  {
    said: /^(READONLY|MASTERDOWN) /,
    meaning: "Redis is a replica",
    remedy: "Point DRYDOCK_REDIS_URL at the master, or promote this one: REPLICAOF NO ONE",
  },
  {
    said: /^NOREPLICAS /,
    meaning: "Redis has too few replicas to accept writes",
    remedy: "Start its replicas, or lower min-replicas-to-write",
  },
  {
    said: /^MISCONF /,
    meaning: "Redis cannot save its data",
    remedy: "See the log of Redis, and make room on its disk",
  },
  { said: /^LOADING /, meaning: "Redis is loading its data", remedy: "Wait until it has loaded them" },
  { said: /^BUSY /, meaning: "Redis is busy with a script", remedy: "Wait, or end the script: SCRIPT KILL" },
  {
    said: /^OOM /,
    meaning: "Redis has no memory left",
    remedy: "Raise its maxmemory, or shorten the keep times: DRYDOCK_KEEP_*_HOURS",
  },
  {
    said: /^CLUSTERDOWN /,
    meaning: "Redis is part of a cluster that is down",
    remedy: "Mend the cluster: CLUSTER INFO tells its state",
  },
  {
    said: /^TRYAGAIN /,
    meaning: "Redis is moving keys in its cluster",
    remedy: "Wait until the slots are moved",
  },
  {
    said: /^(MOVED|ASK) /,
    meaning: "Redis is one of several masters of a cluster",
    remedy: "Point DRYDOCK_REDIS_URL at a Redis that holds all keys; Drydock does not look for them in a cluster",
  },
  { said: /^NOAUTH /, meaning: "Redis requires a password", remedy: passwordRemedy },
  { said: /^WRONGPASS /, meaning: "Redis rejects the user or password", remedy: passwordRemedy },
  {
    said: /^NOPERM /,
    meaning: "Redis denies the controller's user a right",
    remedy: "Grant it with ACL SETUSER: keys {drydock:*, channels {drydock:*, commands +@all -@dangerous +info",
  },
  {
    said: /^DENIED /,
    meaning: "Redis is in protected mode and takes connections from its own host only",
    remedy: "Give Redis a password, or set protected-mode no if its network is closed to others",
  },
  {
    said: /^ERR unknown command/,
    meaning: "Redis lacks a command that Drydock needs",
    remedy: "Use Redis 7, with no command renamed or disabled",
  },
  {
    said: /^ERR max number of clients/,
    meaning: "Redis has as many clients as its setting allows",
    remedy: "Raise maxclients of Redis, or end clients that nobody needs: CLIENT LIST names them",
  },
  {
    said: /^ERR .*(DB index|SELECT is not allowed)/i,
    meaning: "Redis has no such database",
    remedy:
      "Correct the number of the database at the end of DRYDOCK_REDIS_URL; Redis has as many as its setting databases says, from 0, and a cluster has only 0",
  },
];

const notRedisWords = "what answers does not speak Redis' protocol";

/** What keeps a connection from being made or ends it. */
const connectionFaults: readonly Row[] = [
  {
    said: /\bECONNREFUSED\b/,
    meaning: "Redis cannot be reached",
    remedy: "Nothing listens there: start Redis, or correct host and port in DRYDOCK_REDIS_URL",
  },
  {
    said: /\b(ENOTFOUND|EAI_AGAIN)\b/,
    meaning: "the host of Redis cannot be found",
    remedy: "Correct the host in DRYDOCK_REDIS_URL, or mend the name service",
  },
  {
    said: /\b(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b/,
    meaning: "Redis cannot be reached",
    remedy: "Look at the network, or correct host and port in DRYDOCK_REDIS_URL",
  },
  {
    said: /\b(EPIPE|ECONNRESET)\b/,
    meaning: "Redis closed the connection",
    remedy: "If it always does, what answers there is not Redis, or only takes rediss://; correct DRYDOCK_REDIS_URL",
  },
  {
    said: new RegExp(notRedisWords),
    meaning: "no Redis answers at that address",
    remedy:
      "What answers there is not Redis, or only takes rediss://: correct host, port and scheme in DRYDOCK_REDIS_URL",
  },
];

const silence: Row = {
  said: /^/,
  meaning: "Redis does not answer",
  remedy: "Is Redis up? Until it is, a new connection is tried about every second",
};

const faults = [...refusals, ...connectionFaults];

/** What the client says of bytes that are no answer of Redis. */
const notRedis = /^Unknown RESP type/;

/** Redis' words about the limit of its clients, without what the client makes of them. */
const noConnections = /ERR max number of clients[\w +]*/;

/** Words of the client that only say that the connection has closed. */
const consequences =
  /^(Connection is closed|Stream isn't writeable|Reached the max retries|the format of the pool was)/;

/** What Redis appends to an error: where the script stood, arguments, which may be secrets, or a page of advice. */
const appendix = /( script: [0-9a-f]{40}, on |, with args |(?<=^DENIED [^.]*)\.).*$/s;

/** The position at which a command of a script was refused, in front of Redis' words. */
const scriptFault = /^SCRIPT_FAULT .*?: (?=[A-Z]{3,} )/;

/** What an operator reads of a fault of Redis or of the connection to it. */
export function explain(thrown: Error, password?: string | null): RedisFault {
  const error: Fault = thrown instanceof ReasonedError && thrown.cause instanceof Error ? thrown.cause : thrown;
  const text = wordsOf(error).replace(scriptFault, "").replace(appendix, "").replace(/\.$/, "");
  const { meaning, remedy } = faults.find(({ said }) => said.test(text)) ?? silence;
  const words = password ? text.replaceAll(password, "***") : text;
  return { meaning, words, remedy, isConsequence: consequences.test(text) };
}

/** The fault as one text. */
export function describeFault({ meaning, words, remedy }: RedisFault): string {
  return `${meaning}: ${words}. ${remedy}`;
}

/** Whether Redis refused a command, also one of a script, for a cause that an operator can mend or that passes. */
export function isRefusal(message: string): boolean {
  const text = message.replace(scriptFault, "");
  return refusals.some(({ said }) => said.test(text));
}

/** Several addresses of one host failed when the text is empty. */
function wordsOf(error: Fault): string {
  if (notRedis.test(error.message)) return notRedisWords;
  if (error.message !== "") return noConnections.exec(error.message)?.[0] ?? error.message;
  const parts = error instanceof AggregateError ? error.errors.map((each: unknown) => String(each)) : [];
  return parts.join(", ") || String(error.code ?? error.name);
}
