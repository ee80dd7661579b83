import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allPages, digestOf, digestsOf, finding, idsOf, putReport } from "./reports.ts";
import { type ReportsUnderTest, suiteLimits } from "./reports-under-test.ts";

/** Which tags lead to which images. */
export function testImages(under: ReportsUnderTest): void {
  const locationsOf = async (digest: string) => {
    const all = await allPages((page) => under.queries.list({ repository: "" }, "WORST", page));
    return all.find((entry) => entry.digest === digest)?.locations;
  };
  const record = (repository: string, digest: string, ...tags: string[]) =>
    under.reports.recordImages([{ repository, digest, tags }]);

  describe("tags", () => {
    test("a tag leads to the report of the image that it points at", async () => {
      const reportId = await putReport(under, digestOf(1), { repository: "team/app", tags: ["1.0"] });
      assert.deepEqual(idsOf(await under.reports.newestOfTag("team/app", "1.0")), [reportId]);
      assert.deepEqual(await under.reports.newestOfTag("team/app", "1"), []);
      assert.deepEqual(await under.reports.newestOfTag("team/ap", "1.0"), []);
    });

    test("a tag's digest is known, also of an image that was not scanned, and moves with the tag", async () => {
      await record("team/app", digestOf(1), "1.0");
      assert.equal(await under.reports.digestOf("team/app", "1.0"), digestOf(1));
      await record("team/app", digestOf(2), "1.0");
      assert.equal(await under.reports.digestOf("team/app", "1.0"), digestOf(2));
      assert.equal(await under.reports.digestOf("team/app", "2.0"), undefined);
    });

    test("an image is found under each tag and repository that points at it, also those that came later", async () => {
      await record("b/early", digestOf(1), "early");
      const reportId = await putReport(under, digestOf(1), { repository: "c/scanned", tags: ["2.0", "1.0"] });
      await record("a/late", digestOf(1), "late");
      await record("c/scanned", digestOf(1), "1.1");
      for (const [repository, tag] of [
        ["b/early", "early"],
        ["c/scanned", "2.0"],
        ["a/late", "late"],
        ["c/scanned", "1.1"],
      ] as const) {
        assert.deepEqual(idsOf(await under.reports.newestOfTag(repository, tag)), [reportId], `${repository}:${tag}`);
      }
      assert.deepEqual(await locationsOf(digestOf(1)), [
        { repository: "a/late", tags: ["late"] },
        { repository: "b/early", tags: ["early"] },
        { repository: "c/scanned", tags: ["1.0", "1.1", "2.0"] },
      ]);
    });

    test("a tag that moves leads to the other image, and its repository stays a place of the first", async () => {
      await putReport(under, digestOf(1), { repository: "team/app", tags: ["latest", "1.0"] });
      const second = await putReport(under, digestOf(2), { repository: "team/app", tags: ["latest", "2.0"] });
      assert.deepEqual(idsOf(await under.reports.newestOfTag("team/app", "latest")), [second]);
      assert.deepEqual(await locationsOf(digestOf(1)), [{ repository: "team/app", tags: ["1.0"] }]);
      await record("team/app", digestOf(2), "1.0");
      assert.deepEqual(await locationsOf(digestOf(1)), [{ repository: "team/app", tags: [] }]);
      assert.deepEqual(await locationsOf(digestOf(2)), [{ repository: "team/app", tags: ["1.0", "2.0", "latest"] }]);
    });

    test("a tag that moves to an image without a report leads to none", async () => {
      await putReport(under, digestOf(1), { repository: "team/app", tags: ["latest"] });
      await record("team/app", digestOf(2), "latest");
      assert.deepEqual(await under.reports.newestOfTag("team/app", "latest"), []);
    });

    test("the same tag of another repository is another tag", async () => {
      const one = await putReport(under, digestOf(1), { repository: "team/one", tags: ["1.0"] });
      await putReport(under, digestOf(2), { repository: "team/two", tags: ["1.0"] });
      assert.deepEqual(idsOf(await under.reports.newestOfTag("team/one", "1.0")), [one]);
    });

    test("a scan by digest notes the repository without a tag", async () => {
      await putReport(under, digestOf(1), { repository: "team/app", tags: [] });
      assert.deepEqual(await locationsOf(digestOf(1)), [{ repository: "team/app", tags: [] }]);
    });

    test("odd names are names like others", async () => {
      for (const [number, name] of ["__proto__", "constructor", "a/b-c_d.e", "50%off", "x".repeat(255)].entries()) {
        const reportId = await putReport(under, digestOf(number), { repository: name, tags: [name.slice(-128)] });
        assert.deepEqual(idsOf(await under.reports.newestOfTag(name, name.slice(-128))), [reportId]);
        assert.deepEqual(await locationsOf(digestOf(number)), [{ repository: name, tags: [name.slice(-128)] }]);
        const found = await under.queries.list({ repository: name }, "WORST", { size: 9, token: "" });
        assert.deepEqual(digestsOf(found.items), [digestOf(number)]);
      }
    });
  });

  describe("indexes", () => {
    const index = digestOf(100);
    const app = { repository: "team/app", tags: ["1.0"], indexDigest: index };

    test("an index leads to the newest report of each of its images, by platform", async () => {
      const now = under.clock.now();
      const arm = await putReport(under, digestOf(1), { ...app, platform: "linux/arm64" });
      await putReport(under, digestOf(2), { ...app, platform: "linux/amd64", scannedAt: now });
      const amd = await putReport(under, digestOf(2), { ...app, platform: "linux/amd64", scannedAt: now + 1 });
      const found = await under.reports.newestOf(index);
      assert.deepEqual(
        found.map(({ reportId, digest, platform }) => ({ reportId, digest, platform })),
        [
          { reportId: amd, digest: digestOf(2), platform: "linux/amd64" },
          { reportId: arm, digest: digestOf(1), platform: "linux/arm64" },
        ],
      );
      assert.deepEqual(await under.reports.newestOfTag("team/app", "1.0"), found);
      assert.deepEqual(idsOf(await under.reports.newestOf(digestOf(1))), [arm], "each is found by itself as well");
    });

    test("its tags are its images' tags, also those that came later", async () => {
      await putReport(under, digestOf(1), app);
      await record("team/copy", index, "copied");
      assert.deepEqual(await locationsOf(digestOf(1)), [
        { repository: "team/app", tags: ["1.0"] },
        { repository: "team/copy", tags: ["copied"] },
      ]);
    });

    test("a tag that moves to the next index leaves the images of the one before", async () => {
      const next = digestOf(101);
      await putReport(under, digestOf(1), app);
      const newer = await putReport(under, digestOf(2), { ...app, indexDigest: next });
      assert.deepEqual(idsOf(await under.reports.newestOfTag("team/app", "1.0")), [newer]);
      assert.deepEqual(await locationsOf(digestOf(1)), [{ repository: "team/app", tags: [] }]);
    });

    test("an image may be of several indexes, and have tags of its own", async () => {
      const next = digestOf(101);
      const first = await putReport(under, digestOf(1), app);
      const second = await putReport(under, digestOf(1), {
        ...{ repository: "team/app", tags: ["1.1"], indexDigest: next, scannedAt: under.clock.now() + 1 },
      });
      await record("team/app", digestOf(1), "1.0-arm64");
      assert.notEqual(first, second);
      assert.deepEqual(idsOf(await under.reports.newestOf(index)), [second]);
      assert.deepEqual(idsOf(await under.reports.newestOf(next)), [second]);
      assert.deepEqual(await locationsOf(digestOf(1)), [{ repository: "team/app", tags: ["1.0", "1.0-arm64", "1.1"] }]);
    });
  });

  describe("the platforms that a scan of an index has looked for", () => {
    const index = digestOf(100);
    const put = (number: number, indexPlatforms: string[] = []) =>
      putReport(under, digestOf(number), { repository: "team/app", indexDigest: index, indexPlatforms });

    test("are told once a report says so", async () => {
      await put(1);
      assert.deepEqual(await under.reports.indexPlatforms([index, digestOf(1)]), [[], []]);
      await put(2, ["linux/amd64", "linux/s390x"]);
      assert.deepEqual(await under.reports.indexPlatforms([digestOf(2), index]), [[], ["linux/amd64", "linux/s390x"]]);
    });

    test("are those of the newest scan, but once all for good, also when an image is scanned for another index", async () => {
      await put(1, ["linux/amd64"]);
      await put(1, ["linux/arm64"]);
      assert.deepEqual(await under.reports.indexPlatforms([index]), [["linux/arm64"]]);
      await put(1, ["all"]);
      await put(1, ["linux/arm64"]);
      await putReport(under, digestOf(1), { indexDigest: digestOf(101), indexPlatforms: ["linux/arm64"] });
      assert.deepEqual(await under.reports.indexPlatforms([index, digestOf(101)]), [["all"], ["linux/arm64"]]);
    });

    test("are not known any more when one of its images has no report any more, which is to be scanned again", async () => {
      await put(1);
      await put(2, ["all"]);
      under.clock.advance(suiteLimits.keepMs / 2);
      await put(2);
      under.clock.advance(suiteLimits.keepMs / 2 + 1);
      for (let round = 0; round < 4; round++) await under.reports.tidy();
      assert.deepEqual(
        (await under.reports.newestOf(index)).map(({ digest }) => digest),
        [digestOf(2)],
      );
      assert.deepEqual(await under.reports.indexPlatforms([index]), [[]]);
    });
  });

  describe("recording images", () => {
    test("tells what each image has, in the order of the images", async () => {
      const index = digestOf(100);
      const one = await putReport(under, digestOf(1), { scannerState: "s1" });
      const two = await putReport(under, digestOf(2), { indexDigest: index });
      const images = [index, digestOf(3), digestOf(1), digestOf(1)].map((digest, number) => {
        return { repository: "team/app", digest, tags: [`t${number}`] };
      });
      const known = await under.reports.recordImages(images);
      assert.deepEqual(known.map(idsOf), [[two], [], [one], [one]]);
      assert.equal(known[2]?.[0]?.scannerState, "s1");
      assert.deepEqual(await locationsOf(digestOf(1)), [
        { repository: "library/web", tags: [] },
        { repository: "team/app", tags: ["t2", "t3"] },
      ]);
    });

    test("a tag named twice points at the last", async () => {
      const reportId = await putReport(under, digestOf(2));
      await under.reports.recordImages([
        { repository: "team/app", digest: digestOf(1), tags: ["latest"] },
        { repository: "team/app", digest: digestOf(2), tags: ["latest", "latest"] },
      ]);
      assert.deepEqual(idsOf(await under.reports.newestOfTag("team/app", "latest")), [reportId]);
    });

    test("an image of very many repositories and tags tells how many repositories it is in, names some, and hides none", async () => {
      const digest = digestOf(1);
      await putReport(under, digest, { repository: "r0000", tags: [], findings: [finding("CVE-1")] });
      const names = Array.from({ length: 1_010 }, (_, number) => `r${String(number).padStart(4, "0")}`);
      const tags = Array.from({ length: 130 }, (_, number) => `t${number}`);
      const record = (some: readonly string[]) =>
        under.reports.recordImages(
          some.map((repository) => ({ repository, digest, tags: repository === "r0001" ? tags : [] })),
        );
      await record(names.slice(0, 220));
      await record(names);
      await record(names);
      const { items } = await under.queries.list({ repository: "" }, "REPOSITORY", { size: 9, token: "" });
      assert.equal(items[0]?.locationCount, 1_010);
      assert.deepEqual(
        items[0]?.locations.map(({ repository }) => repository),
        names.slice(0, 100),
      );
      assert.equal(items[0]?.locations[1]?.tags.length, 100);
      assert.deepEqual(
        digestsOf((await under.queries.list({ repository: "r0200" }, "WORST", { size: 9, token: "" })).items),
        [digest],
      );
      const found = await allPages((page) => under.queries.findVulnerability("CVE-1", "", page), 700);
      assert.deepEqual(found.map(({ repository }) => repository).slice(0, 220), names.slice(0, 220));
      assert.ok(found.every(({ locationCount }) => locationCount === 1_010));
      const { counts } = await under.queries.findVulnerability("CVE-1", "", { size: 1, token: "" });
      assert.equal(counts.partlyListed, found.length < 1_010 ? 1 : 0, "what is left out is told");
    });

    test("an image may have as many tags as a call names", async () => {
      const reportId = await putReport(under, digestOf(1));
      const tags = Array.from({ length: 5_000 }, (_, number) => `t${number}`);
      await record("team/app", digestOf(2), ...tags.slice(0, 2_500));
      await record("team/app", digestOf(1), ...tags);
      const found = await Promise.all([0, 2_400, 4_999].map((at) => under.reports.newestOfTag("team/app", `t${at}`)));
      assert.deepEqual(found.map(idsOf), [[reportId], [reportId], [reportId]]);
    });

    test("no images are nothing", async () => {
      assert.deepEqual(await under.reports.recordImages([]), []);
    });

    test("a thousand images at once, and the same from two sides, agree", async () => {
      const images = Array.from({ length: 1_000 }, (_, number) => {
        return { repository: `team/${number % 7}`, digest: digestOf(number), tags: [`v${number}`, `w${number}`] };
      });
      await Promise.all([under.reports.recordImages(images), under.reports.recordImages(images.toReversed())]);
      await putReport(under, digestOf(500), { repository: "team/3", tags: [] });
      assert.deepEqual(await locationsOf(digestOf(500)), [{ repository: "team/3", tags: ["v500", "w500"] }]);
    });
  });
}
