import assert from "node:assert/strict";
import { auditReports } from "../support/audit-reports.ts";
import { startPool } from "../support/pool.ts";
import { reportStoreSuite } from "../support/report-store-suite.ts";
import { reportingJobs } from "../support/report-suite/reports-under-test.ts";

for (const shards of [1, 3]) {
  reportStoreSuite(`the reports in Redis with ${shards} shards`, async ({ reportsPerImage }) => {
    const under = await startPool({ shards, reportsPerImage });
    return {
      ...reportingJobs(under),
      ...{ reports: under.reports, queries: under.reportQueries, clock: under.clock },
      clear: async () => {
        for (const { number } of under.shards) assert.deepEqual(await auditReports(under.redis, number), []);
        await under.redis.flushall();
      },
      stop: under.stop,
    };
  });
}
