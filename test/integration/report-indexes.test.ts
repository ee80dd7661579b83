import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IndexedReport } from "@drydock/job-controller/domain/report-entry.ts";
import { headOf, tailOf } from "@drydock/job-controller/redis/reports/image-facts.ts";
import { packStored, toFile } from "@drydock/job-controller/redis/reports/report-file.ts";
import { auditReports } from "../support/audit-reports.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { claimOneOf } from "../support/claim-one-of.ts";
import { allPages, digestOf, digestsOf, finding, idsOf, reportOf } from "../support/report-suite/reports.ts";

for (const shards of [1, 3]) {
  describe(`the indexes of reports in Redis with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    const listed = () => allPages((page) => under.reportQueries.list({ repository: "" }, "WORST", page));
    const countOf = async (name: string) =>
      (await under.reportQueries.findVulnerability(name, "", { size: 1, token: "" })).counts.images;
    const tidyAll = async () => {
      while (await under.reports.tidy());
    };

    async function put(digest: string, parts: Partial<IndexedReport> = {}) {
      const lease = await claimOneOf(under);
      await under.reports.put(lease, reportOf(lease, digest, { scannedAt: under.clock.now(), ...parts }));
      return lease;
    }

    test("are made by tidying when who stored a report died before that", async () => {
      const lease = await claimOneOf(under);
      const { entry, gzip } = reportOf(lease, digestOf(1), { findings: [finding("CVE-1")], tags: ["1.0"] });
      const staged = await packStored({ entry, storedAt: under.clock.now() });
      const { jobId, token, incarnation } = lease;
      const shard = under.shards.ofJob(jobId);
      await shard.run("reports/put", jobId, token, incarnation, jobId, toFile(entry, gzip), 3_600, staged);
      await tidyAll();
      assert.deepEqual(await listed(), [], "whoever stored it may be about to");
      under.clock.advance(30_000);
      await tidyAll();
      assert.deepEqual(idsOf(await listed()), [jobId]);
      assert.deepEqual(idsOf(await under.reports.newestOfTag("library/web", "1.0")), [jobId]);
      assert.equal(await countOf("CVE-1"), 1);
      assert.equal(await under.redis.exists(shard.keys.reports.outbox), 0);
    });

    test("are not what a report is read by: one that is replaced meanwhile is to be read again", async () => {
      const lease = await claimOneOf(under);
      const parts = { scannedAt: under.clock.now() };
      const { entry } = reportOf(lease, digestOf(1), parts);
      await under.reports.put(lease, { entry, gzip: Buffer.alloc(600 * 1024, 1) });
      const pieces = (await under.reports.read(lease.jobId)) ?? assert.fail();
      let taken = 0;
      const readOn = async () => {
        for await (const piece of pieces) {
          taken += piece.length;
          await under.reports.put(lease, { entry, gzip: Buffer.alloc(500 * 1024, 2) });
        }
      };
      await assert.rejects(readOn(), {
        reason: "REPORT_NOT_FOUND",
        message: /replaced while it was read; read it again/,
      });
      assert.equal(taken, 256 * 1024);
    });

    test("follow when reports are removed with their jobs because memory is short", async () => {
      const lease = await put(digestOf(1), { findings: [finding("CVE-1")] });
      await put(digestOf(2), { findings: [finding("CVE-1")] });
      await under.pool.succeed(lease, {});
      under.clock.advance(1);
      await under.pool.relieve((await under.pool.endOfOldest(1)) ?? 0);
      await tidyAll();
      assert.deepEqual(digestsOf(await listed()), [digestOf(2)]);
      assert.equal(await countOf("CVE-1"), 1);
    });

    test("take in a report of many findings, and the next that has others, in bounded parts", async () => {
      const many = (of: string) => Array.from({ length: 1_000 }, (_, at) => finding(`CVE-${of}-${at}`));
      await put(digestOf(1), { findings: [...many("old"), ...many("both")] });
      under.clock.advance(1);
      await put(digestOf(1), { findings: [...many("both"), ...many("new")] });
      const counts = await Promise.all(["CVE-old-999", "CVE-both-0", "CVE-both-999", "CVE-new-999"].map(countOf));
      assert.deepEqual(counts, [0, 1, 1, 1]);
    });

    test("give a page of an image with a vulnerability in many packages and repositories without making all", async () => {
      const findings = Array.from({ length: 5_000 }, (_, at) => finding("CVE-1", "HIGH", { package: `p${at}` }));
      await put(digestOf(1), { findings });
      const names = Array.from({ length: 240 }, (_, at) => `team/r${at}`);
      await under.reports.recordImages(names.map((repository) => ({ repository, digest: digestOf(1), tags: ["1"] })));
      const seen = new Set<string>();
      let token = "";
      const begin = process.threadCpuUsage().user;
      for (let pages = 0; pages < 3; pages++) {
        const page = await under.reportQueries.findVulnerability("CVE-1", "", { size: 700, token });
        for (const match of page.items) seen.add(`${match.package} ${match.repository}`);
        token = page.nextToken;
      }
      assert.equal(seen.size, 2_100);
      assert.ok(process.threadCpuUsage().user - begin < 3_000_000, "1,200,000 matches take longer");
    });

    test("find each of many images of a block, and those alone that have a vulnerability still", async () => {
      const digests = Array.from({ length: 150 }, (_, at) => digestOf(at));
      for (const digest of digests) await put(digest, { findings: [finding("CVE-1")] });
      const find = (size: number) => allPages((page) => under.reportQueries.findVulnerability("CVE-1", "", page), size);
      assert.deepEqual(digestsOf(await find(40)), digests);
      under.clock.advance(1);
      const mended = digests.filter((_, at) => at % 3 === 0);
      for (const digest of mended) await put(digest, {});
      assert.deepEqual(
        digestsOf(await find(7)),
        digests.filter((digest) => !mended.includes(digest)),
      );
    });

    test("give a number that is free again to the next image", async () => {
      await put(digestOf(1), { findings: [finding("CVE-1")] });
      under.clock.advance(3_700_000);
      await tidyAll();
      await put(digestOf(2), { findings: [finding("CVE-2")] });
      assert.deepEqual([await countOf("CVE-1"), await countOf("CVE-2")], [0, 1]);
    });

    test("take a tag from an image when the tag moved and nobody came to that", async () => {
      await put(digestOf(1), { repository: "team/app", tags: ["1.0"] });
      const { tags } = under.shards.ofKey("team/app").keys.reports;
      await under.redis.hset(tags("team/app"), "1.0", digestOf(2));
      await tidyAll();
      assert.deepEqual((await listed())[0]?.locations, [{ repository: "team/app", tags: [] }]);
    });

    test("note 100 tags in each of many repositories of an image in calls of few", async () => {
      const tags = Array.from({ length: 100 }, (_, at) => `release-${at}`);
      const calls = async () => {
        const stats = await under.redis.info("commandstats");
        const counts = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)];
        return counts.reduce((sum, [, count]) => sum + Number(count), 0);
      };
      const before = await calls();
      const images = Array.from({ length: 96 }, (_, at) => ({ repository: `team/r${at}`, digest: digestOf(1), tags }));
      await under.reports.recordImages(images);
      assert.ok(
        (await calls()) - before >= 96 / 32 + 96 / 8,
        "each call has 32 lists of tags, or 8 locations, at most",
      );
    });

    test("tell of an image in a repository that it is not listed in, as long as it has the vulnerability", async () => {
      const names = Array.from({ length: 251 }, (_, at) => `team/r${at}`);
      const digest = digestOf(1);
      const record = (repository: string) => under.reports.recordImages([{ repository, digest, tags: [] }]);
      const find = async (repository: string) => {
        const { items, counts } = await under.reportQueries.findVulnerability("CVE-1", repository, {
          size: 9,
          token: "",
        });
        return [items.length, counts.partlyListed];
      };
      // as many as are listed, then one more, before and after there is a report
      for (const name of names) await record(name);
      await put(digest, { repository: "team/r0", findings: [finding("CVE-1")] });
      await put(digestOf(2), { findings: [finding("CVE-1")] });
      assert.deepEqual(
        [await find("team/r0"), await find("team/r250"), await find("none")],
        [
          [1, 1],
          [0, 1],
          [0, 1],
        ],
      );
      await record("team/r251");
      under.clock.advance(1);
      await put(digest, { repository: "team/r0" });
      assert.deepEqual(await find("team/r0"), [0, 0]);
      under.clock.advance(3_700_000);
      await tidyAll();
      assert.deepEqual([await listed(), await under.redis.keys("*:images-beyond")], [[], []]);
      await put(digest, { repository: "team/r0", findings: [finding("CVE-1")] });
    });

    test("forget an image that was never scanned and that nothing names any more", async () => {
      // more repositories and tags than are listed of an image
      const names = Array.from({ length: 260 }, (_, at) => `team/r${at}`);
      const tags = Array.from({ length: 130 }, (_, at) => `t${at}`);
      const digest = digestOf(1);
      await under.reports.recordImages(names.map((repository) => ({ repository, digest, tags: ["1.0"] })));
      await under.reports.recordImages([{ repository: "team/r0", digest, tags }]);
      await tidyAll();
      assert.equal((await under.redis.keys("*:tags:*")).length, names.length);
      under.clock.advance(3_700_000);
      await tidyAll();
      assert.deepEqual([...(await under.redis.keys("*:tags:*")), ...(await under.redis.keys("*:images"))], []);
    });
  });
}

describe("a list of images that nothing fits", () => {
  const under = useAuditedPool();

  test("ends each page after 5,000 images that it looked at, and comes to its end all the same", async () => {
    const members = Array.from({ length: 12_000 }, (_, at) => {
      const { entry } = reportOf({ jobId: "" }, digestOf(at), {});
      return Buffer.concat([headOf(entry), Buffer.alloc(4), tailOf(entry)]);
    });
    const { worst } = under.shards.first.keys.reports;
    await under.redis.zadd(worst, ...members.flatMap((member) => [0, member]));
    for (const filter of [{ scanner: "none" }, { coverage: "NOT_AN_IMAGE" }] as const) {
      let [pages, token] = [0, ""];
      do {
        const page = await under.reportQueries.list({ repository: "", ...filter }, "WORST", { size: 50, token });
        assert.deepEqual(page.items, []);
        [pages, token] = [pages + 1, page.nextToken];
      } while (token !== "");
      assert.equal(pages, 3);
    }
    await under.redis.flushall();
  });
});

describe("the audit of report indexes", () => {
  const under = useAuditedPool();

  const plant: Record<string, (prefix: string) => Promise<unknown>> = {
    "a posting is missing": (prefix) => under.redis.del(`${prefix}found:1`),
    "a posting is there that should not be": (prefix) => under.redis.hset(`${prefix}found:2`, "0", "\0\u0005"),
    "a term is missing": (prefix) => under.redis.del(`${prefix}vulnerability:CVE-1`),
    "a posting of a layer is missing": async (prefix) =>
      under.redis.del(...(await under.redis.keys(`${prefix}layers:*`))),
    "the totals of a repository is missing": (prefix) =>
      under.redis.hset(`${prefix}report-totals`, "library/web", "[9]"),
    "an image in the order WORST is missing": (prefix) => under.redis.del(`${prefix}images-worst`),
    "a location is missing": (prefix) => under.redis.del(`${prefix}images-located`),
    "an image of repositories that are not listed is missing": (prefix) =>
      under.redis.sadd(`${prefix}locations-beyond:${digestOf(1)}`, "team/app"),
    "the age of an image is missing": (prefix) => under.redis.zadd(`${prefix}images-stored`, 5, "0"),
    "the report of its entry is wrong": (prefix) =>
      under.redis.hset(`${prefix}image-entries`, "0", JSON.stringify({ ...entry(), reportId: "x" })),
  };
  const entry = () => reportOf({ jobId: "" }, digestOf(1), {}).entry;

  for (const [fault, change] of Object.entries(plant)) {
    test(`finds that ${fault}`, async () => {
      const lease = await claimOneOf(under);
      const findings = [finding("CVE-1"), finding("CVE-2")];
      await under.reports.put(lease, reportOf(lease, digestOf(1), { findings, layerNames: ["base"] }));
      assert.deepEqual(await auditReports(under.redis, 0), []);
      await change("{drydock:0}:");
      const faults = await auditReports(under.redis, 0);
      assert.ok(
        faults.some((found) => found.includes(fault)),
        faults.join("\n"),
      );
      await under.redis.flushall();
    });
  }
});
