import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Query } from "@drydock/job-controller/postgres/database.ts";
import { noteLocations } from "@drydock/job-controller/postgres/note-locations.ts";
import { Client } from "pg";
import { auditPostgresReports } from "../support/audit-postgres-reports.ts";
import { type PostgresReports, startPostgresReports } from "../support/postgres-reports.ts";
import { digestOf, digestsOf, finding, putReport } from "../support/report-suite/reports.ts";
import { suiteLimits } from "../support/report-suite/reports-under-test.ts";
import { until } from "../support/until.ts";

describe("upkeep of the reports in PostgreSQL", { timeout: 120_000 }, () => {
  let under: PostgresReports;
  let client: Client;
  before(async () => {
    under = await startPostgresReports(suiteLimits);
    client = new Client({ connectionString: under.server.url, options: "-c search_path=drydock" });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await under.stop();
  });
  beforeEach(() => under.clear());

  /** Looks at all rows a few times over, as the upkeep of hours does. */
  async function tidyForLong(): Promise<void> {
    for (let round = 0; round < 4; round++) await under.reports.tidy();
  }

  async function untilWaiting(): Promise<void> {
    const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    await until(
      "upkeep waits",
      () => client.query(waiting),
      ({ rows }) => rows.length > 0,
    );
  }

  test("rows that no report and no tag needs any more are removed, and those that are needed again are kept", async () => {
    const parts = {
      repository: "a",
      tags: ["1"],
      indexDigest: digestOf(9),
      findings: [finding("CVE-1")],
      layerNames: ["l"],
    };
    await putReport(under, digestOf(1), parts);
    await under.reports.recordImages([{ repository: "never/scanned", digest: digestOf(5), tags: ["x"] }]);
    under.clock.advance(suiteLimits.keepMs + 2 * 3_600_000);
    await tidyForLong();
    assert.equal(await under.reports.digestOf("never/scanned", "x"), undefined);
    const left = "SELECT (SELECT count(*) FROM texts)::int AS texts, (SELECT count(*) FROM details)::int AS details";
    assert.deepEqual((await client.query(left)).rows, [{ texts: 9, details: 1 }], "what may be needed again is kept");

    await putReport(under, digestOf(2), { repository: "a", tags: ["2"], findings: [finding("CVE-1")] });
    under.clock.advance(suiteLimits.keepMs + 2 * 3_600_000 - 1);
    await tidyForLong();
    await putReport(under, digestOf(2), { repository: "a", tags: ["2"], findings: [finding("CVE-1")] });
    under.clock.advance(2);
    await tidyForLong();
    const { rows } = await client.query("SELECT text FROM texts ORDER BY text");
    assert.deepEqual(
      rows.map(({ text }) => text),
      ["2", "CVE-1", "a", digestOf(2)].toSorted(),
    );
    const { items } = await under.queries.findVulnerability("CVE-1", "a", { size: 9, token: "" });
    assert.deepEqual(
      items.map(({ digest, tags }) => [digest, tags]),
      [[digestOf(2), ["2"]]],
    );
    const others = "SELECT (SELECT count(*) FROM tags) + (SELECT count(*) FROM index_images) AS count";
    assert.equal((await client.query(others)).rows[0].count, "1");
  });

  test("an image whose controller died before it noted where the image is comes into its repository all the same", async () => {
    await putReport(under, digestOf(1), { repository: "a", tags: [], indexDigest: digestOf(9) });
    await client.query("DELETE FROM locations; DELETE FROM index_images; DELETE FROM repositories");
    assert.notDeepEqual(await auditPostgresReports(client), []);
    await tidyForLong();
    const { items } = await under.queries.list({ repository: "?" }, "WORST", { size: 9, token: "" });
    assert.deepEqual(
      items.map(({ locations }) => locations),
      [[{ repository: "a", tags: [] }]],
    );
  });

  test("an image that comes to an index while the tables are looked at stays there", async () => {
    await putReport(under, digestOf(1), { repository: "a", tags: [] });
    const query: Query = async (text, values) => {
      const { rows } = await client.query(text, [...(values ?? [])]);
      await tidyForLong();
      return rows;
    };
    const images = [{ repository: "a", digest: digestOf(9), tags: ["1"] }];
    const members = [{ index: digestOf(9), image: digestOf(1) }];
    await noteLocations(query, { images, members, now: under.clock.now() });
    assert.deepEqual(digestsOf(await under.reports.newestOfTag("a", "1")), [digestOf(1)]);
  });

  test("a tag that is named again at the moment in which it would go stays", async () => {
    await under.reports.recordImages([{ repository: "a", digest: digestOf(5), tags: ["x"] }]);
    under.clock.advance(suiteLimits.keepMs + 2 * 3_600_000);
    await client.query("BEGIN");
    await client.query("UPDATE locations SET seen_at = $1", [under.clock.now()]);
    const tidied = tidyForLong();
    await untilWaiting();
    await client.query("COMMIT");
    await tidied;
    assert.equal(await under.reports.digestOf("a", "x"), digestOf(5));
  });

  test("a tag that is named again after upkeep has begun to look at the tags stays", async () => {
    const named = (at: number) => [{ repository: "a", digest: digestOf(at), tags: [`t${at}`] }];
    for (const at of [1, 2]) await under.reports.recordImages(named(at));
    await client.query("DELETE FROM locations");
    await client.query("BEGIN");
    // upkeep stands before the first tag, with its view of the locations
    await client.query("SELECT FROM tags WHERE digest_id = (SELECT min(digest_id) FROM tags) FOR UPDATE");
    const tidied = under.reports.tidy();
    await untilWaiting();
    await under.reports.recordImages(named(2));
    await client.query("COMMIT");
    await tidied;
    const left = await Promise.all([1, 2].map((at) => under.reports.digestOf("a", `t${at}`)));
    assert.deepEqual(left, [undefined, digestOf(2)]);
  });

  test("the audit tells of rows that are missing, too many or wrong", async () => {
    const spoil: Record<string, string> = {
      "DELETE FROM findings": "a finding",
      "INSERT INTO findings SELECT vulnerability_id, 1, 77, '{}' FROM findings": "a finding",
      "DELETE FROM image_layers": "a layer",
      "UPDATE images SET known_exploited = 5": "known_exploited is 5",
      "UPDATE images SET worst_key = decode('00', 'hex')": "its place in WORST",
      "UPDATE images SET seq = 99": "an image is of no newest report",
      "UPDATE image_counts SET images = 7": "images are counted wrongly",
      "DELETE FROM locations": "a tag is where its image is not",
      "DELETE FROM repositories": "a repository has no name",
      "DELETE FROM texts": "a number stands for no text",
      "UPDATE images SET first_repository = 'z'": "another first repository",
    };
    await putReport(under, digestOf(1), {
      repository: "a",
      tags: ["1"],
      findings: [finding("CVE-1")],
      layerNames: ["l"],
    });
    for (const [statement, fault] of Object.entries(spoil)) {
      await client.query(`BEGIN; ${statement}`);
      const faults = await auditPostgresReports(client).then((found) => found.join("\n"), String);
      await client.query("ROLLBACK");
      assert.ok(faults.includes(fault), `${statement}: ${faults}`);
    }
  });
});
