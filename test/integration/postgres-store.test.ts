import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Coverage } from "@drydock/job-controller/domain/report-entry.ts";
import { toPattern } from "@drydock/job-controller/postgres/conditions.ts";
import { createPostgresParts } from "@drydock/job-controller/postgres/parts.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import { Client } from "pg";
import { auditPostgresReports } from "../support/audit-postgres-reports.ts";
import { type PostgresReports, startPostgresReports } from "../support/postgres-reports.ts";
import {
  allPages,
  digestOf,
  digestsOf,
  finding,
  putReport,
  readGzip,
  reportOf,
} from "../support/report-suite/reports.ts";
import { suiteLimits } from "../support/report-suite/reports-under-test.ts";
import { SwallowingProxy } from "../support/swallowing-proxy.ts";
import { timed } from "../support/until.ts";

const quiet = createLogger({ name: "test", level: "fatal" });

describe("the store of reports in PostgreSQL", { timeout: 200_000 }, () => {
  let under: PostgresReports;
  let client: Client;
  before(async () => {
    under = await startPostgresReports(suiteLimits);
    client = new Client(under.server.url);
    client.on("error", () => {});
    await client.connect();
    await client.query("SET search_path = drydock");
  });
  after(async () => {
    await client.end();
    await under.stop();
  });
  beforeEach(() => under.clear());

  /** The same store as another controller has it. */
  function anotherController(url = under.server.url, checkLease = under.reports.checkLease) {
    const { keepMs: keepReportsMs, reportsPerImage } = suiteLimits;
    const config = { url, keepReportsMs, reportsPerImage };
    return createPostgresParts({ config, checkLease, clock: under.clock, logger: quiet });
  }

  test("a report of an older token never takes the place of a newer one, also between the two looks at the lease", async () => {
    const lease = await under.startJob();
    const other = anotherController(under.server.url, async () => {});
    await other.watch.start();
    const newer = { ...lease, token: lease.token + 1 };
    await other.reports.put(newer, { ...reportOf(lease, digestOf(1), {}), gzip: Buffer.from("newer") });
    const late = other.reports.put(lease, reportOf(lease, digestOf(1), {}));
    await assert.rejects(late, { reason: "LEASE_LOST" });
    assert.equal(String(await readGzip(under, lease.jobId)), "newer");
    await other.watch.stop();
  });

  test("a lease that is lost while the report is written leaves nothing of it", async () => {
    const lease = await under.startJob();
    let looks = 0;
    const other = anotherController(under.server.url, async (held) => {
      looks += 1;
      if (looks === 2) await under.loseLease(held);
      await under.reports.checkLease(held);
    });
    await other.watch.start();
    const put = other.reports.put(lease, reportOf(lease, digestOf(1), { findings: [finding("CVE-1")] }));
    await assert.rejects(put, { reason: "LEASE_LOST" });
    assert.equal(looks, 2);
    const { rows } = await client.query(
      "SELECT (SELECT count(*) FROM reports) + (SELECT count(*) FROM findings) AS all",
    );
    assert.equal(Number(rows[0].all), 0);
    await other.watch.stop();
  });

  test("a report that moves to another image leaves the first without one", async () => {
    const lease = await under.startJob();
    await under.reports.put(lease, reportOf(lease, digestOf(1), { findings: [finding("CVE-1")] }));
    await under.reports.put(lease, reportOf(lease, digestOf(2), {}));
    assert.deepEqual(await under.reports.newestOf(digestOf(1)), []);
    assert.equal((await under.queries.summarize("")).totals.findings, 0);
  });

  test("the tables agree with each other after many puts, moves and removals", async () => {
    for (let round = 0; round < 30; round++) {
      const findings = [finding(`CVE-${round % 4}`), finding(`CVE-${round % 3}`, "LOW", { package: "zlib" })];
      const coverage: Coverage = round % 5 === 0 ? "PARTIAL" : "FULL";
      const parts = {
        coverage,
        findings,
        layerNames: [`l${round % 5}`],
        scannedAt: under.clock.now() + ((round * 7) % 11),
      };
      await putReport(under, digestOf(round % 6), parts);
      if (round % 10 === 9) under.clock.advance(suiteLimits.keepMs / 3);
      await under.reports.tidy();
    }
    assert.deepEqual(await auditPostgresReports(client), []);
    assert.equal((await under.queries.summarize("")).totals.images, 6);
  });

  test("of a vulnerability that is everywhere the few matches in large repositories are all found, in pages that may be short", async () => {
    const digests = Array.from({ length: 120 }, (_, number) => {
      return `sha256:${createHash("sha256").update(String(number)).digest("hex")}`;
    });
    for (const [number, digest] of digests.entries()) {
      await putReport(under, digest, { repository: number % 40 === 7 ? "b" : "a", findings: [finding("CVE-1")] });
    }
    // locations of images that are not there make them large
    await client.query(`INSERT INTO locations SELECT 1000000 + image, texts.id, 0 FROM generate_series(1, 6000) AS image, texts
      WHERE text IN ('a', 'b')`);
    const find = (repository: string, size: number) =>
      allPages((page) => under.queries.findVulnerability("CVE-1", repository, page), size);
    const expected = digests.filter((_, number) => number % 40 === 7).toSorted();
    for (const size of [1, 2, 100]) assert.deepEqual(digestsOf(await find("b", size)), expected);
    assert.deepEqual(digestsOf(await find("?", 7)), digests.toSorted());
    await client.query("DELETE FROM locations WHERE digest_id > 1000000");
  });

  test("texts with the character 0 are stored and found", async () => {
    const odd = "a\0b";
    await putReport(under, digestOf(1), {
      headline: odd,
      scanner: odd,
      findings: [finding(odd, "LOW", { version: odd })],
    });
    const { items } = await under.queries.findVulnerability(odd, "", { size: 9, token: "" });
    assert.deepEqual([items.length, items[0]?.version], [1, "a\ufffdb"]);
    assert.equal(
      (await under.queries.list({ repository: "", scanner: odd }, "WORST", { size: 9, token: "" })).items.length,
      1,
    );
  });

  test("a glob fits what it fits elsewhere", async () => {
    const globs = [
      "*",
      "**",
      "a*",
      "a/**",
      "?",
      "a.b",
      "[ab]",
      "a\\d",
      "^a$",
      "a{2}",
      "(a|b)",
      "**/b",
      "a*b*c",
      "ü?",
      "a+",
    ];
    const names = [
      "",
      "a",
      "aa",
      "a/b",
      "a/b/c",
      "axb",
      "a.b",
      "[ab]",
      "a\\d",
      "^a$",
      "a{2}",
      "(a|b)",
      "b",
      "abc",
      "üb",
      "a+",
    ];
    for (const glob of globs) {
      for (const name of names) {
        const { rows } = await client.query("SELECT $1 ~ $2 AS fits", [name, toPattern(glob)]);
        assert.equal(rows[0].fits, fitsGlob(glob, name), `${glob} and ${name}`);
      }
    }
    const costly = `${"a*".repeat(100)}b`;
    const took = await timed(client.query("SELECT $1 ~ $2", ["a".repeat(255), toPattern(costly)]));
    assert.ok(took < 1_000, `${took} ms`);
  });

  test("tables of a newer controller are refused with words, and left as they are", async () => {
    await client.query("INSERT INTO migrations (number, name) VALUES (9999, 'later')");
    const refused = { reason: "REPORT_STORE_UNAVAILABLE", message: /of migration 9999, .* upgrade it/ };
    const other = anotherController();
    await assert.rejects(other.watch.start(), refused);
    await assert.rejects(other.reports.newestOf(digestOf(1)), { reason: "REPORT_STORE_UNAVAILABLE" });
    await other.watch.stop();
    await client.query("DELETE FROM migrations WHERE number = 9999");
  });

  test("many controllers make the tables at once", async () => {
    await client.query("CREATE DATABASE fresh");
    const url = under.server.url.replace(/postgres$/, "fresh");
    const controllers = Array.from({ length: 5 }, () => anotherController(url));
    await Promise.all(controllers.map(({ watch }) => watch.start()));
    for (const { watch, reportQueries } of controllers) {
      assert.equal(watch.cause, undefined);
      assert.equal((await reportQueries.summarize("")).totals.images, 0);
      await watch.stop();
    }
  });

  test("a database that takes no writes is told of", async () => {
    await client.query("CREATE DATABASE readonly");
    await client.query("ALTER DATABASE readonly SET default_transaction_read_only = on");
    const other = anotherController(under.server.url.replace(/postgres$/, "readonly"));
    await other.watch.start();
    assert.match(other.watch.cause ?? "", /accepts no writes: cannot execute CREATE SCHEMA in a read-only transaction/);
    await other.watch.stop();
  });

  test("connections that the network has swallowed hold up no call for long, and are made anew", async () => {
    await using proxy = await SwallowingProxy.start(under.server.port);
    const url = new URL(under.server.url);
    url.port = new URL(proxy.url).port;
    const other = anotherController(url.href);
    await other.watch.start();
    assert.ok(proxy.swallow() > 0);
    const asked = [other.reports.newestOf(digestOf(1)), putReport({ ...under, reports: other.reports }, digestOf(1))];
    const took = await timed(Promise.allSettled(asked));
    assert.ok(took < 15_000, `${took} ms`);
    const lease = await under.startJob();
    const report = reportOf(lease, digestOf(2), {});
    while (!(await other.reports.put(lease, report).then(() => true, isAway)));
    assert.equal((await under.reports.newestOf(digestOf(2))).length, 1);
    await other.watch.stop();
  });

  test("reports that are put again and again while PostgreSQL crashes are all there, once", async () => {
    const count = 60;
    const puts = Array.from({ length: count }, async (_, number) => {
      const lease = await under.startJob();
      const report = reportOf(lease, digestOf(number), {
        findings: [finding("CVE-1")],
        tags: ["1"],
        repository: `r${number}`,
      });
      while (!(await under.reports.put(lease, report).then(() => true, isAway)));
      return lease.jobId;
    });
    await Promise.race(puts);
    await under.server.crash();
    await under.server.resume();
    const ids = await Promise.all(puts);
    const { images, findings } = (await under.queries.summarize("")).totals;
    assert.deepEqual([images, findings], [count, count]);
    for (const id of ids) assert.equal(String(await readGzip(under, id)), `report of ${id}`);
  });
});

/** Waits a moment when the store is away. */
async function isAway(error: unknown): Promise<false> {
  assert.equal((error as { reason?: unknown }).reason, "REPORT_STORE_UNAVAILABLE", String(error));
  await new Promise((resolve) => setTimeout(resolve, 50));
  return false;
}
