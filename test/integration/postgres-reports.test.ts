import { startPostgresReports } from "../support/postgres-reports.ts";
import { reportStoreSuite } from "../support/report-store-suite.ts";

reportStoreSuite("reports in PostgreSQL", startPostgresReports);
