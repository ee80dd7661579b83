import { readFileSync } from "node:fs";
import type { ClientConfig, PoolConfig } from "pg";
import { types } from "pg";

/** How long a connection may take to be made, or to come free, in milliseconds. */
const connectTimeoutMs = 3_000;
/** How long PostgreSQL may work on a statement, in milliseconds. */
const statementTimeoutMs = 5_000;
/** How long an answer may take until the connection counts as dead, in milliseconds: longer than a statement may. */
const answerTimeoutMs = 7_000;
/** How long a transaction may stand still, in milliseconds: longer than a look at Redis in the middle of it takes. */
const standstillMs = 10_000;
const idleMs = 30_000;
const maxConnections = 10;

const int8 = 20;

/** The settings of the pool of connections that the URL asks for. @throws Error when the file of sslrootcert cannot be read */
export function poolSettings(url: string): PoolConfig {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    ssl: sslOf(searchParams),
    max: maxConnections,
    keepAlive: true,
    application_name: "drydock",
    options: `-c search_path=drydock -c idle_in_transaction_session_timeout=${standstillMs}`,
    statement_timeout: statementTimeoutMs,
    query_timeout: answerTimeoutMs,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleMs,
    // counts and times fit a number
    types: {
      getTypeParser: (type: number, format: "text") => (type === int8 ? Number : types.getTypeParser(type, format)),
    } as NonNullable<ClientConfig["types"]>,
  };
}

function sslOf(parameters: URLSearchParams): PoolConfig["ssl"] {
  const file = parameters.get("sslrootcert");
  switch (parameters.get("sslmode")) {
    case "require":
      return { rejectUnauthorized: false };
    case "verify-full":
      return file === null ? true : { ca: readFileSync(file, "utf8") };
    default:
      return false;
  }
}
