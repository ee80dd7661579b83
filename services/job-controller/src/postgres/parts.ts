import type { Clock } from "@drydock/shared/clock.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { ReportQueries } from "../ports/report-queries.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { ReportStoreHealth } from "../ports/report-store-health.ts";
import { Database } from "./database.ts";
import { createPostgresReportQueries } from "./report-queries.ts";
import { createPostgresReportStore } from "./report-store.ts";
import { PostgresWatch } from "./watch.ts";

/** What the PostgreSQL parts are made from. */
export interface PostgresPartsOptions {
  config: { url: string; keepReportsMs: number; reportsPerImage: number };
  /** Whether a lease may store a report: the pool knows. */
  checkLease: ReportStore["checkLease"];
  clock: Clock;
  logger: Logger;
}

/** Everything that PostgreSQL is the home of; the watch is to be started and stopped. */
export interface PostgresParts {
  watch: Service & ReportStoreHealth;
  reports: ReportStore;
  reportQueries: ReportQueries;
}

/** Makes the PostgreSQL parts. */
export function createPostgresParts({ config, checkLease, clock, logger }: PostgresPartsOptions): PostgresParts {
  const { url, keepReportsMs: keepMs, reportsPerImage } = config;
  const database = new Database(url, logger);
  return {
    watch: new PostgresWatch(database, logger),
    reports: createPostgresReportStore({ database, checkLease, keepMs, reportsPerImage, clock }),
    reportQueries: createPostgresReportQueries(database, clock),
  };
}
