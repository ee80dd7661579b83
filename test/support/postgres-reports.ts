import assert from "node:assert/strict";
import { type PostgresServer, startPostgres } from "@drydock/demo/stack/postgres.ts";
import { createPostgresParts, type PostgresParts } from "@drydock/job-controller/postgres/parts.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { Client } from "pg";
import { auditPostgresReports } from "./audit-postgres-reports.ts";
import { startPool } from "./pool.ts";
import { type ReportLimits, type ReportsUnderTest, reportingJobs } from "./report-suite/reports-under-test.ts";

/** The reports in a PostgreSQL of their own, with a pool in a Redis. */
export interface PostgresReports extends ReportsUnderTest {
  server: PostgresServer;
  parts: PostgresParts;
}

/** Starts both. */
export async function startPostgresReports({ keepMs, reportsPerImage }: ReportLimits): Promise<PostgresReports> {
  const [server, pool] = await Promise.all([startPostgres(), startPool()]);
  const parts = createPostgresParts({
    config: { url: server.url, keepReportsMs: keepMs, reportsPerImage },
    checkLease: pool.reports.checkLease,
    clock: pool.clock,
    logger: createLogger({ name: "test", level: "fatal" }),
  });
  await parts.watch.start();
  return {
    ...reportingJobs(pool),
    ...{ reports: parts.reports, queries: parts.reportQueries, clock: pool.clock, server, parts },
    clear: async () => {
      await pool.redis.flushall();
      await auditTables(server.url);
      await emptyTables(server.url);
    },
    stop: async () => {
      await auditTables(server.url);
      await parts.watch.stop();
      await Promise.all([pool.stop(), server.stop()]);
    },
  };
}

/** @throws AssertionError that names what does not agree */
async function auditTables(url: string): Promise<void> {
  await withTables(url, async (client) => assert.deepEqual(await auditPostgresReports(client), []));
}

async function withTables(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url, options: "-c search_path=drydock" });
  await client.connect();
  await work(client).finally(() => client.end());
}

function emptyTables(url: string): Promise<void> {
  return withTables(url, emptyAll);
}

async function emptyAll(client: Client): Promise<void> {
  const { rows } = await client.query(
    "SELECT string_agg(format('drydock.%I', tablename), ', ') AS names FROM pg_tables WHERE schemaname = 'drydock' AND tablename <> 'migrations'",
  );
  await client.query(`TRUNCATE ${rows[0].names} RESTART IDENTITY`);
}
