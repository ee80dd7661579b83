import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import type { ReportStore } from "@drydock/job-controller/ports/report-store.ts";
import type { ImageState } from "@drydock/job-controller/redis/reports/image-state.ts";
import { createRedisReportStore } from "@drydock/job-controller/redis/reports/report-store.ts";
import { type Argument, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Shards } from "@drydock/job-controller/redis/shards/shards.ts";
import { auditReports } from "../support/audit-reports.ts";
import { claimOneOf } from "../support/claim-one-of.ts";
import { type PoolUnderTest, startPool, workerInfo, workerNamed } from "../support/pool.ts";
import { createRandom, type Random } from "../support/random.ts";
import { digestOf, finding, reportOf } from "../support/report-suite/reports.ts";

const keepMs = 3_600_000;
const [images, puts] = [6, 60];

for (const count of [1, 3]) {
  describe(`report indexes whose makers die at any step, with ${count} shards`, () => {
    let under: PoolUnderTest;
    before(async () => {
      under = await startPool({ shards: count });
    });
    after(() => under.stop());

    for (const seed of [1, 2, 3, 4]) {
      test(`are whole after tidying, and those of what was stored (seed ${seed})`, async () => {
        await under.redis.flushall();
        await under.pool.hello(workerNamed("w1"), workerInfo, []);
        const random = createRandom(seed);
        const leases: HeldLease[] = [];
        for (let at = 0; at < puts; at++) leases.push(await claimOneOf(under));
        const dying = dyingStore(under, count, random);
        for (let at = 0; at < puts; at += 3) {
          await Promise.allSettled(leases.slice(at, at + 3).map((lease) => put(dying, lease, random)));
          under.clock.advance(1);
        }
        under.clock.advance(30_000);
        while (await under.reports.tidy());
        await checkWhole();
        await checkTags();
        await compare(under, leases);
      });
    }

    async function checkWhole(): Promise<void> {
      for (const { number, keys } of under.shards) {
        assert.deepEqual(await auditReports(under.redis, number), []);
        assert.equal(await under.redis.hlen(keys.reports.outbox), 0);
        const states = (await under.redis.hvals(keys.reports.images)).map((text) => JSON.parse(text) as ImageState);
        const half = states.filter(({ number, sums }) => (number === undefined) !== (sums === undefined));
        assert.deepEqual(half, [], "no image is half in the indexes");
      }
    }

    /** A tag is shown at the digest that it points at, and at the images of that when it is an index. */
    async function checkTags(): Promise<void> {
      const states = await Promise.all([...under.shards].map(({ keys }) => under.redis.hgetall(keys.reports.images)));
      const shown = states.flatMap((all) => Object.entries(all).flatMap(([digest, text]) => tagsOf(digest, text)));
      const expected: string[] = [];
      for (const key of await under.redis.keys("*:tags:*")) {
        const repository = key.slice(key.indexOf(":tags:") + ":tags:".length);
        for (const [tag, digest] of Object.entries(await under.redis.hgetall(key))) {
          const members = await under.redis.hkeys(under.shards.ofKey(digest).keys.reports.imagesOf(digest));
          for (const one of [digest, ...members]) expected.push(`${repository}:${tag} ${one}`);
        }
      }
      assert.deepEqual(shown.sort(), expected.sort());
    }

    /** Each image has the newest of its reports that are stored. */
    async function compare({ reports, reportQueries }: PoolUnderTest, leases: readonly HeldLease[]) {
      const stored = (await Promise.all(leases.map(({ jobId }) => reports.ofJob(jobId)))).flat();
      assert.ok(stored.length > images, "some were stored");
      for (const digest of new Set(stored.map((report) => report.digest))) {
        const [newest = assert.fail(`${digest} has no report`)] = await reports.newestOf(digest);
        assert.ok(stored.some(({ reportId }) => reportId === newest.reportId));
        const page = { size: 100, token: "" };
        const { items } = await reportQueries.findVulnerability(`CVE-${newest.reportId}`, "", page);
        assert.deepEqual([...new Set(items.map((match) => match.digest))], [digest], "and is found by what it has");
      }
      const { totals } = await reportQueries.summarize("");
      assert.equal(totals.images, new Set(stored.map((report) => report.digest)).size);
    }
  });
}

/** The tags of a digest, as its state has them. */
function tagsOf(digest: string, text: string): string[] {
  const locations = Object.entries((JSON.parse(text) as ImageState).locations);
  return locations.flatMap(([repository, tags]) => {
    const names = tags.split(" ").filter(Boolean);
    return names.map((tag) => `${repository}:${tag} ${digest}`);
  });
}

/** Puts a report of a random image, with findings of its own and some that others have. */
async function put(store: ReportStore, lease: HeldLease, random: Random): Promise<void> {
  const shared = Array.from({ length: 5 }, (_, at) => finding(`CVE-${at}`)).filter(() => random.percent(50));
  // more than one script call takes
  const many = random.percent(20) ? Array.from({ length: 450 }, (_, at) => finding(`CVE-many-${at}`)) : [];
  const parts = {
    scannedAt: random.below(100),
    findings: [finding(`CVE-${lease.jobId}`), ...shared, ...many],
    layerNames: ["base", lease.jobId],
    repository: `team/${random.below(3)}`,
    tags: [`${random.below(4)}`],
    indexDigest: random.percent(30) ? digestOf(1_000) : "",
  };
  await store.put(lease, reportOf(lease, digestOf(random.below(images)), parts));
}

/** A store whose script calls fail at times, before or behind what they do. */
function dyingStore({ redis, clock }: PoolUnderTest, count: number, random: Random): ReportStore {
  class DyingShard extends Shard {
    override async run(...[name, ...args]: [Parameters<Shard["run"]>[0], ...Argument[]]) {
      const chance = random.below(100);
      if (chance < 5) throw new Error("died before");
      const reply = await super.run(name, ...args);
      if (chance >= 95) throw new Error("died behind");
      return reply;
    }
  }
  const shards = new Shards(count, (number) => new DyingShard(number, redis, clock));
  return createRedisReportStore({ redis, shards, clock, keepMs, reportsPerImage: 3 });
}
