import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allPages, digestOf, digestsOf, finding, idsOf, putReport } from "./reports.ts";
import type { ReportsUnderTest } from "./reports-under-test.ts";

const firstPage = { size: 100, token: "" };

/** FindVulnerability, findByLayers and what stood at a time. */
export function testFindings(under: ReportsUnderTest): void {
  const find = (name: string, repository = "", size = 100) =>
    allPages((page) => under.queries.findVulnerability(name, repository, page), size);

  describe("finding a vulnerability", () => {
    test("a match tells where the image is and which package has it", async () => {
      const scannedAt = under.clock.now();
      const reportId = await putReport(under, digestOf(1), {
        ...{ scannedAt, repository: "team/app", tags: ["1.0"], platform: "linux/amd64", coverage: "PARTIAL" },
        findings: [finding("CVE-1", "CRITICAL", { package: "zlib1g", version: "1:1.2", fixedVersion: "" })],
      });
      const { items } = await under.queries.findVulnerability("CVE-1", "", firstPage);
      assert.deepEqual(items, [
        {
          ...{
            repository: "team/app",
            tags: ["1.0"],
            digest: digestOf(1),
            reportId,
            platform: "linux/amd64",
            locationCount: 1,
          },
          ...{ coverage: "PARTIAL", scannedAt, locationCount: 1, severity: "CRITICAL" },
          ...{ package: "zlib1g", version: "1:1.2", fixedVersion: "" },
        },
      ]);
    });

    test("there is a match for each repository and package, by digest, package, version and repository", async () => {
      const findings = [
        finding("CVE-1", "HIGH", { package: "b" }),
        finding("CVE-1", "HIGH", { package: "a", version: "2" }),
        finding("CVE-1", "HIGH", { package: "a", version: "1" }),
        finding("CVE-2"),
      ];
      await putReport(under, digestOf(2), { repository: "y", findings });
      await putReport(under, digestOf(1), { repository: "x", findings: [finding("CVE-1", "LOW", { package: "c" })] });
      await under.reports.recordImages([{ repository: "w", digest: digestOf(2), tags: ["1.0"] }]);
      const seen = (await find("CVE-1")).map((match) => [
        match.digest === digestOf(1) ? 1 : 2,
        `${match.package} ${match.version}`,
        match.repository,
        ...match.tags,
      ]);
      assert.deepEqual(seen, [
        [1, "c 2.36", "x"],
        [2, "a 1", "w", "1.0"],
        [2, "a 1", "y"],
        [2, "a 2", "w", "1.0"],
        [2, "a 2", "y"],
        [2, "b 2.36", "w", "1.0"],
        [2, "b 2.36", "y"],
      ]);
      for (const size of [1, 2, 3, 7]) assert.deepEqual(await find("CVE-1", "", size), await find("CVE-1"));
    });

    test("a repository narrows the matches and not the counts", async () => {
      await putReport(under, digestOf(1), { repository: "team/app", findings: [finding("CVE-1")] });
      await putReport(under, digestOf(2), {
        repository: "other/app",
        findings: [finding("CVE-1")],
        coverage: "PARTIAL",
      });
      await putReport(under, digestOf(3), { repository: "team/clean", coverage: "UNSUPPORTED" });
      await under.reports.recordImages([{ repository: "team/copy", digest: digestOf(2), tags: [] }]);
      const found = async (repository: string) => {
        const { items, counts } = await under.queries.findVulnerability("CVE-1", repository, firstPage);
        assert.deepEqual(counts, { images: 2, scanned: 3, notFullyCovered: 2, partlyListed: 0 });
        return items.map((match) => match.repository);
      };
      assert.deepEqual(await found(""), ["team/app", "other/app", "team/copy"]);
      assert.deepEqual(await found("team/*"), ["team/app", "team/copy"]);
      assert.deepEqual(await found("other/app"), ["other/app"]);
      assert.deepEqual(await found("none"), []);
    });

    test("of a vulnerability that nothing has there are counts alone", async () => {
      await putReport(under, digestOf(1), { findings: [finding("CVE-1")] });
      assert.deepEqual(await under.queries.findVulnerability("CVE-10", "", firstPage), {
        ...{ items: [], nextToken: "", counts: { images: 0, scanned: 1, notFullyCovered: 0, partlyListed: 0 } },
      });
    });

    test("odd names of packages and vulnerabilities are found as they are", async () => {
      const names = ["__proto__", "GHSA-x|y", "a:b,c", "CVE-\u{1f4a5}", "n".repeat(255), "'--"];
      const findings = names.map((name) => finding(name, "LOW", { package: name, version: name, fixedVersion: name }));
      await putReport(under, digestOf(1), { findings });
      for (const name of names) {
        const [match, ...more] = await find(name);
        assert.deepEqual([match?.package, match?.version, match?.fixedVersion, more.length], [name, name, name, 0]);
      }
    });

    test("a token that the store did not give is refused", async () => {
      await putReport(under, digestOf(1), { findings: [finding("CVE-1")] });
      for (const token of ["x", "[]", Buffer.from("[1,2]").toString("base64url"), "-"]) {
        const vulnerability = under.queries.findVulnerability("CVE-1", "", { size: 1, token });
        await assert.rejects(vulnerability, { reason: "FIELD_INVALID" }, token);
        await assert.rejects(under.queries.findByLayers(["l"], { size: 1, token }), { reason: "FIELD_INVALID" }, token);
      }
    });
  });

  describe("finding images by their layers", () => {
    test("each image that has one of the layers is given once, with its first repository", async () => {
      await putReport(under, digestOf(3), { repository: "c", tags: ["3"], layerNames: ["base", "three"] });
      await putReport(under, digestOf(1), { repository: "c", tags: ["1"], layerNames: ["base", "one"] });
      await putReport(under, digestOf(2), { repository: "c", tags: ["2"], layerNames: ["other"] });
      await under.reports.recordImages([{ repository: "a", digest: digestOf(3), tags: ["later"] }]);
      const of = (layers: string[], size?: number) =>
        allPages((page) => under.queries.findByLayers(layers, page), size);
      const [one, three] = [
        { repository: "c", digest: digestOf(1), tags: ["1"] },
        { repository: "a", digest: digestOf(3), tags: ["later"] },
      ];
      assert.deepEqual(await of(["base"]), [one, three]);
      assert.deepEqual(await of(["base"], 1), [one, three]);
      assert.deepEqual(await of(["three", "base", "none", "three"]), [one, three]);
      assert.deepEqual(await of(["one"]), [one]);
      assert.deepEqual(await of(["none"]), []);
      assert.deepEqual(await of([]), []);
    });
  });

  describe("what stood at a time", () => {
    test("is of each image of the repository the newest report scanned before", async () => {
      const now = under.clock.now();
      const scan = (image: number, scannedAt: number, repository = "team/app") =>
        putReport(under, digestOf(image), { scannedAt, repository, platform: "linux/amd64" });
      const [first, second, third] = [await scan(1, now), await scan(1, now + 10), await scan(2, now + 5)];
      await scan(3, now, "team/other");
      const at = async (time: number) => idsOf(await under.queries.standing("team/app", time));
      assert.deepEqual(await at(now), []);
      assert.deepEqual(await at(now + 1), [first]);
      assert.deepEqual(await at(now + 6), [first, third]);
      assert.deepEqual(await at(now + 10), [first, third], "a report scanned at the time is not before it");
      assert.deepEqual(await at(now + 11), [second, third]);
      const [reference] = await under.queries.standing("team/app", now + 1);
      assert.deepEqual(reference, { reportId: first, digest: digestOf(1), platform: "linux/amd64" });
    });

    test("has the images that a repository has by further tags, and those whose tags moved away", async () => {
      const now = under.clock.now();
      await putReport(under, digestOf(1), { repository: "a", tags: ["1"], scannedAt: now });
      await putReport(under, digestOf(2), { repository: "b", tags: ["1"], scannedAt: now });
      await under.reports.recordImages([{ repository: "a", digest: digestOf(2), tags: ["1"] }]);
      assert.deepEqual(digestsOf(await under.queries.standing("a", now + 1)), [digestOf(1), digestOf(2)]);
      assert.deepEqual(await under.queries.standing("none", now + 1), []);
    });
  });
}
