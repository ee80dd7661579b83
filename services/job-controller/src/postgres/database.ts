import { setTimeout as delay } from "node:timers/promises";
import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { DatabaseError, Pool, type PoolClient, type QueryResultRow } from "pg";
import { poolSettings } from "./connection-settings.ts";
import { storeUnavailable, toReasonedError } from "./postgres-fault.ts";

/** Runs a statement and gives its rows. */
export type Query = <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** How often work is done that PostgreSQL gave up for others. */
const maxTries = 4;
/** The wait before it is done again, in milliseconds, longer each time. */
const pauseMs = 20;

/** A few connections to PostgreSQL. Each wait is bounded, and a call that fails is not repeated unless nothing of it was done. */
export class Database {
  readonly #pool: Pool;
  readonly #password: string;
  /** Why calls are refused without being tried; undefined while PostgreSQL answers and has our tables. */
  refusal: string | undefined = "the tables in PostgreSQL were not looked at yet";

  constructor(url: string, logger: Logger) {
    const settings = poolSettings(url);
    this.#password = String(settings.password);
    this.#pool = new Pool(settings);
    // the probe tells why: of a connection that nobody uses nothing is lost
    this.#pool.on("error", (error) => logger.debug({ cause: error.message }, "an idle connection to postgres ended"));
  }

  /** The password of the URL, which is in no text that others see. */
  get password(): string {
    return this.#password;
  }

  /** @throws ReasonedError REPORT_STORE_UNAVAILABLE */
  query: Query = async <Row extends QueryResultRow>(text: string, values: readonly unknown[] = []) => {
    this.#admit();
    return this.#trying(async () => (await this.#pool.query<Row>(text, [...values])).rows);
  };

  /**
   * Runs the work in a transaction: all of it is done, or nothing when it throws. It may be run again from its beginning.
   * @throws ReasonedError REPORT_STORE_UNAVAILABLE
   */
  async transact<T>(work: (query: Query) => Promise<T>): Promise<T> {
    this.#admit();
    return this.transactUnadmitted(work);
  }

  /** The same, also while calls are refused: for what finds out whether they need be. */
  transactUnadmitted<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#trying(() => this.#transactOnce(work));
  }

  /** Whether PostgreSQL answers and accepts writes, also while calls are refused. @throws ReasonedError REPORT_STORE_UNAVAILABLE */
  async probe(): Promise<void> {
    await this.#trying(async () => {
      const { rows } = await this.#pool.query("SELECT pg_is_in_recovery() AS standby");
      if (rows[0]?.standby) throw Object.assign(new Error("pg_is_in_recovery() is true"), { code: "25006" });
    });
  }

  /** Closes all connections; those that are at work end by their time-outs. Safe to call twice. */
  async close(): Promise<void> {
    if (!this.#pool.ended && !this.#pool.ending) await this.#pool.end();
  }

  #admit(): void {
    if (this.refusal !== undefined) throw storeUnavailable(this.refusal);
  }

  async #trying<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (tries >= maxTries || !isGivenUp(error)) throw toReasonedError(error, this.#password);
        await delay(pauseMs * tries * Math.random());
      }
    }
  }

  async #transactOnce<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let fault: Error | undefined;
    const onError = (error: Error) => {
      fault = error;
    };
    client.on("error", onError);
    try {
      await client.query("BEGIN");
      const result = await work(queryOf(client));
      await client.query("COMMIT");
      return result;
    } catch (error) {
      fault ??= await rollBack(client, error);
      throw error;
    } finally {
      client.off("error", onError);
      client.release(fault);
    }
  }
}

/** Gives the fault for which the connection cannot be used again: it has not answered, and what it is at nobody knows. */
async function rollBack(client: PoolClient, thrown: unknown): Promise<Error | undefined> {
  const error = toError(thrown);
  if (!(error instanceof DatabaseError || error instanceof ReasonedError)) return error;
  try {
    await client.query("ROLLBACK");
    return undefined;
  } catch (failure) {
    return toError(failure);
  }
}

function queryOf(client: PoolClient): Query {
  return async <Row extends QueryResultRow>(text: string, values: readonly unknown[] = []) =>
    (await client.query<Row>(text, [...values])).rows;
}

/** Whether PostgreSQL ended the work because of others at the same rows, so that nothing of it was done. */
function isGivenUp(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "40P01" || code === "40001";
}
