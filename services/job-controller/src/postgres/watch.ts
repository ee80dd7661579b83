import { toError } from "@drydock/shared/errors.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { every } from "@drydock/shared/loop.ts";
import type { ReportStoreHealth } from "../ports/report-store-health.ts";
import type { Database } from "./database.ts";
import { migrate, SchemaTooNew } from "./migrate.ts";
import { describeFault, explain, storeUnavailable } from "./postgres-fault.ts";

const probePeriodMs = 1_000;

/**
 * Makes the tables when PostgreSQL answers for the first time, asks it every second whether it accepts writes, and logs each
 * outage once for each cause. Calls are refused meanwhile.
 */
export class PostgresWatch implements Service, ReportStoreHealth {
  readonly name = "postgres";
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #probes: Service;
  #up = false;
  #cause: string | undefined;
  /** The causes of this outage that are in the log. */
  readonly #loggedCauses = new Set<string>();

  constructor(database: Database, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
    this.#probes = every(probePeriodMs, (signal) => this.#probe(signal), { name: "postgres-probe", logger });
  }

  get up(): boolean {
    return this.#up;
  }

  get cause(): string | undefined {
    return this.#cause;
  }

  /**
   * Connects; a PostgreSQL that is away at the start is waited for, not a fault.
   * @throws ReasonedError REPORT_STORE_UNAVAILABLE when its tables are a newer controller's
   */
  async start(): Promise<void> {
    await this.#look().catch((error: unknown) => {
      if (error instanceof SchemaTooNew) throw storeUnavailable(error.message);
      this.#markDown(error);
    });
    await this.#probes.start();
  }

  async stop(signal?: AbortSignal): Promise<void> {
    await this.#probes.stop(signal);
    await this.#database.close();
  }

  async #probe(signal: AbortSignal): Promise<void> {
    await this.#look().catch((error: unknown) => {
      if (!signal.aborted) this.#markDown(error);
    });
  }

  async #look(): Promise<void> {
    await this.#database.probe();
    if (this.#up) return;
    await migrate(this.#database);
    this.#up = true;
    this.#cause = undefined;
    this.#database.refusal = undefined;
    this.#loggedCauses.clear();
    this.#logger.info("postgres answers");
  }

  #markDown(thrown: unknown): void {
    const error = toError(thrown);
    const fault = explain(error instanceof SchemaTooNew ? error : (error.cause ?? error), this.#database.password);
    const cause = fault === undefined ? error.message : describeFault(fault);
    this.#up = false;
    this.#cause = cause;
    this.#database.refusal = cause;
    if (this.#loggedCauses.has(cause)) return;
    this.#loggedCauses.add(cause);
    const facts =
      fault === undefined ? { cause } : { meaning: fault.meaning, cause: fault.words, remedy: fault.remedy };
    this.#logger.warn(facts, "postgres does not answer as it should; reports are refused until it does");
  }
}
