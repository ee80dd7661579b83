import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { ReportStore } from "@drydock/job-controller/ports/report-store.ts";
import type { ImageState } from "@drydock/job-controller/redis/reports/image-state.ts";
import { createRedisReportStore } from "@drydock/job-controller/redis/reports/report-store.ts";
import { type Argument, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Shards } from "@drydock/job-controller/redis/shards/shards.ts";
import { auditReports } from "../support/audit-reports.ts";
import { type PoolUnderTest, startPool } from "../support/pool.ts";
import { digestOf, finding, idsOf, putReport } from "../support/report-suite/reports.ts";
import { type ReportsUnderTest, reportingJobs } from "../support/report-suite/reports-under-test.ts";

const keepMs = 3_600_000;
const digest = digestOf(1);

describe("a report that is removed while something else happens to its image", () => {
  let under: PoolUnderTest;
  let reports: ReportsUnderTest;
  before(async () => {
    under = await startPool();
    reports = {
      ...reportingJobs(under),
      ...{ reports: under.reports, queries: under.reportQueries, clock: under.clock },
      ...{ clear: async () => undefined, stop: under.stop },
    };
  });
  after(() => under.stop());
  beforeEach(() => under.redis.flushall());

  async function checkWhole(): Promise<void> {
    assert.deepEqual(await auditReports(under.redis, 0), []);
    for (const { keys } of under.shards) {
      const states = (await under.redis.hvals(keys.reports.images)).map((text) => JSON.parse(text) as ImageState);
      const half = states.filter(({ number, sums }) => (number === undefined) !== (sums === undefined));
      assert.deepEqual(half, [], "no image is half in the indexes");
    }
  }

  test("takes no report with it that is stored meanwhile", async () => {
    await putReport(reports, digest, { findings: [finding("CVE-1")] });
    under.clock.advance(keepMs + 1_000);
    let stored = "";
    await interrupted(under, async () => {
      stored = await putReport(reports, digest, { findings: [finding("CVE-2")] });
    }).tidy();
    while (await under.reports.tidy());
    assert.deepEqual(idsOf(await under.reports.newestOf(digest)), [stored]);
    const { counts } = await under.reportQueries.findVulnerability("CVE-2", "", { size: 9, token: "" });
    assert.equal(counts.images, 1);
    await checkWhole();
  });

  test("leaves nothing when all others are removed meanwhile", async () => {
    const older = await putReport(reports, digest, { scannedAt: under.clock.now() - 1 });
    under.clock.advance(keepMs / 2);
    await putReport(reports, digest, { findings: [finding("CVE-1")] });
    under.clock.advance(keepMs / 2 + 1_000);
    await interrupted(under, async () => {
      under.clock.advance(keepMs);
      while (await under.reports.tidy());
    }).tidy();
    assert.equal(await under.reports.read(older), undefined);
    assert.deepEqual(await under.reports.newestOf(digest), []);
    await checkWhole();
    const again = await putReport(reports, digest);
    assert.deepEqual(idsOf(await under.reports.newestOf(digest)), [again]);
    await checkWhole();
  });
});

/** A store that does something else once, before its first change of an image. */
function interrupted({ redis, clock }: PoolUnderTest, meanwhile: () => Promise<void>): ReportStore {
  let isFirst = true;
  class InterruptedShard extends Shard {
    override async run(...[name, ...args]: [Parameters<Shard["run"]>[0], ...Argument[]]) {
      if (isFirst && (name === "reports/index" || name === "reports/forget")) {
        isFirst = false;
        await meanwhile();
      }
      return super.run(name, ...args);
    }
  }
  const shards = new Shards(1, (number) => new InterruptedShard(number, redis, clock));
  return createRedisReportStore({ redis, shards, clock, keepMs, reportsPerImage: 3 });
}
