import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { digestOf, ScanAllRig } from "./test-kit.ts";

describe("a scan of all images of which some have reports", () => {
  let rig: ScanAllRig;
  beforeEach(() => {
    rig = new ScanAllRig();
    rig.catalog.repositories = { web: { "1.0": "a", "2.0": "b", "3.0": "c" } };
  });

  test("matches them anew, which needs no registry, as the scanner does not tell its state", async () => {
    rig.know("a");
    rig.know("b", { scannerState: "monday" });
    await rig.runToWait();
    assert.deepEqual(rig.context.launchedFor("IMAGE_REMATCH"), ["a", "b"]);
    assert.deepEqual(rig.context.launchedFor("IMAGE_SCAN"), ["c"]);
    const { request } = rig.context.children.get(digestOf("a")) ?? assert.fail();
    assert.deepEqual([request.uniqueKey, request.priority], [`rematch:${digestOf("a")}`, 2]);
    assert.match(rig.context.text, /3 digests \(2 known\): 3 launched, 0 up to date/);
  });

  test("has nothing to do for those of the scanner's present state", async () => {
    rig.scanner = { ...rig.scanner, state: async () => "tuesday" };
    rig.know("a", { scannerState: "tuesday" });
    rig.know("b", { scannerState: "monday" });
    rig.know("c", { scannerState: "tuesday" });
    await rig.runToWait();
    assert.deepEqual([...rig.context.children.keys()], [digestOf("b")]);
    assert.match(rig.context.text, /3 digests \(3 known\): 1 launched, 2 up to date/);
  });

  test("ends at once when nothing is new", async () => {
    rig.scanner = { ...rig.scanner, state: async () => "tuesday" };
    for (const end of ["a", "b", "c"]) rig.know(end, { scannerState: "tuesday" });
    await rig.run();
    assert.match(rig.context.text, /0 launched, 3 up to date, 0 done, 0 failed, coverage of 3 reports: 3 FULL$/);
  });

  test("scans them when it is told to, or when the scanner cannot match anew", async () => {
    rig.scanner = { ...rig.scanner, state: async () => "tuesday" };
    rig.know("a", { scannerState: "tuesday" });
    await rig.runToWait({ force: true });
    assert.deepEqual(rig.context.launchedFor("IMAGE_SCAN"), ["a", "b", "c"]);
    const other = new ScanAllRig();
    other.catalog.repositories = rig.catalog.repositories;
    const { rematch: _, ...scanner } = other.scanner;
    other.scanner = scanner;
    other.know("a");
    await other.runToWait();
    assert.deepEqual(other.context.launchedFor("IMAGE_SCAN"), ["a", "b", "c"]);
  });

  test("has nothing to do for what is no image: its manifest never changes", async () => {
    rig.know("a", { scanner: "" });
    await rig.runToWait();
    assert.deepEqual(rig.context.launchedFor("IMAGE_SCAN"), ["b", "c"]);
  });

  test("takes what it scanned itself before it was killed for up to date", async () => {
    rig.know("a");
    const [report = assert.fail()] = rig.context.known.get(digestOf("a")) ?? [];
    rig.context.known.set(digestOf("a"), [{ ...report, scannedAt: new Date(1_000) }]);
    await rig.runToWait();
    assert.deepEqual(rig.context.launchedFor("IMAGE_REMATCH"), []);
  });

  describe("of an index", () => {
    beforeEach(() => {
      rig.catalog.repositories = { web: { "1.0": "9" } };
    });

    test("matches each of its images anew", async () => {
      rig.know("9", { digest: "a" });
      rig.know("9", { digest: "b", platform: "linux/arm64" });
      rig.context.lookedFor.set(digestOf("9"), ["all"]);
      await rig.runToWait({ platforms: ["all"] });
      assert.deepEqual(rig.context.launchedFor("IMAGE_REMATCH"), ["a", "b"]);
    });

    test("scans it when a report of a platform that is asked for is missing", async () => {
      rig.know("9", { digest: "a" });
      for (const platforms of [["all"], ["linux/amd64", "linux/arm64"]]) {
        rig.context.children.clear();
        rig.context.checkpoints.length = 0;
        await rig.runToWait({ platforms });
        const { request } = rig.context.children.get(digestOf("9")) ?? assert.fail();
        assert.deepEqual([request.name, request.parameters.platforms], ["IMAGE_SCAN", platforms]);
      }
    });

    test("has nothing to scan when what is missing was looked for before", async () => {
      rig.know("9", { digest: "a" });
      for (const [lookedFor, platforms] of [
        [["all"], ["all"]],
        [["all"], ["linux/s390x"]],
        [["linux/amd64", "linux/s390x"], ["linux/s390x"]],
        [["linux/aarch64"], ["linux/amd64", "linux/arm64"]],
      ]) {
        rig.context.children.clear();
        rig.context.checkpoints.length = 0;
        rig.context.lookedFor.set(digestOf("9"), lookedFor ?? []);
        await rig.runToWait({ platforms });
        assert.deepEqual([...rig.context.children.keys()], [digestOf("a")], String(lookedFor));
      }
    });

    test("asks no more than for the default image when no platforms are asked for", async () => {
      rig.know("9", { digest: "a", platform: "linux/arm64" });
      await rig.runToWait();
      assert.deepEqual(rig.context.launchedFor("IMAGE_REMATCH"), ["a"]);
    });
  });
});

describe("a scan of all images that is killed", () => {
  const killed = new Error("killed");
  const places = ["list", "api", "api:old", "web:2.0", "zoo", "recordImages", "launchJobs", "saveCheckpoint"];
  for (const place of places) {
    test(`at ${place} goes on, leaves no digest out and launches none twice`, async () => {
      const rig = new ScanAllRig();
      rig.catalog.pageSize = 2;
      rig.catalog.repositories = {
        ...{ api: { latest: "b", old: "c", older: "d" }, web: { "1.0": "a", "1": "a", "2.0": "b" } },
        ...{ zoo: { x: "e" }, zulu: { y: "e" } },
      };
      // each gathering ends at once, so that there is a checkpoint after each slice
      rig.catalog.onAsk = (what) => {
        rig.now += 1_000;
        if (what === place && !rig.context.lines.includes("killed")) {
          rig.context.lines.push("killed");
          throw killed;
        }
      };
      const { context } = rig;
      const names = ["recordImages", "launchJobs", "saveCheckpoint"] as const;
      for (const name of names) {
        const own = context[name].bind(context) as (argument: unknown) => Promise<never>;
        let calls = 0;
        const dying = async (argument: unknown) => {
          calls += 1;
          if (name !== place || calls !== 2) return await own(argument);
          // half of the kills come when the call has done its work
          await own(argument);
          if (name === "saveCheckpoint") context.checkpoints.pop();
          throw killed;
        };
        Object.assign(context, { [name]: dying });
      }
      await assert.rejects(rig.run(), /killed/);
      await rig.runToWait();
      assert.deepEqual(context.launchedFor("IMAGE_SCAN").sort(), ["a", "b", "c", "d", "e"]);
      assert.match(context.text, /^4 repositories, 8 tags, 5 digests \(0 known\): 5 launched/);
    });
  }
});

describe("which images a scan of all takes", () => {
  const launchedWith = async (parameters: object, prepare: (rig: ScanAllRig) => void = () => undefined) => {
    const rig = new ScanAllRig();
    rig.catalog.repositories = {
      "library/web": { "1.9": "1", "1.10": "2", latest: "3", "v1.0": "4" },
      "library/web/api": { "1.0": "5" },
      "team/web": { "1.0": "6" },
    };
    prepare(rig);
    await rig.runToWait(parameters);
    return rig.context.launchedFor("IMAGE_SCAN").sort().join("");
  };

  for (const [what, parameters, wanted] of [
    ["of a list of repositories", { repositories: ["team/web", "library/web/api"] }, "56"],
    ["of repositories that fit a glob", { include: ["library/*"] }, "1234"],
    ["of repositories that fit one of several globs", { include: ["library/**", "team/*"] }, "123456"],
    ["but those left out", { include: ["library/**"], exclude: ["**/api"] }, "1234"],
    ["of tags that fit a glob", { tag_pattern: "1.*" }, "1256"],
    ["of tags that fit one of several globs", { tag_pattern: ["v*", "latest"] }, "34"],
    ["of the newest tags, by name where no times are told", { newest_tags: 1, tag_pattern: "1.*" }, "256"],
  ] as const) {
    test(`are those ${what}`, async () => assert.equal(await launchedWith(parameters), wanted));
  }

  test("are those of the newest tags by the time of their push, over all pages", async () => {
    const newest = await launchedWith({ newest_tags: 2, repositories: ["library/web"] }, ({ catalog }) => {
      catalog.pageSize = 1;
      catalog.pushed = { "1.9": 40, "1.10": 10, latest: 30, "v1.0": 20 };
    });
    assert.equal(newest, "13");
  });

  test("are without a tag only when that is asked for", async () => {
    const prepare = ({ catalog }: ScanAllRig) => {
      catalog.tellsDigests = true;
      catalog.untagged = { "team/web": ["7", "8"] };
    };
    assert.equal(await launchedWith({ repositories: ["team/web"] }, prepare), "6");
    assert.equal(await launchedWith({ repositories: ["team/web"], untagged: true }, prepare), "678");
  });

  test("come with the platforms, the policy, the limits and the priority asked for", async () => {
    const rig = new ScanAllRig();
    rig.catalog.repositories = { web: { "1.0": "a", "2.0": "b" } };
    rig.know("b");
    const policy = { fail_on: "high" };
    const report = { findings: 100 };
    await rig.runToWait({ platforms: ["all"], policy, report, priority: 9 });
    const { request } = rig.context.children.get(digestOf("a")) ?? assert.fail();
    assert.equal(request.priority, 9);
    assert.deepEqual([request.parameters.platforms, request.parameters.policy], [["all"], policy]);
    assert.deepEqual(request.parameters.report, report);
    const { request: rematch } = rig.context.children.get(digestOf("b")) ?? assert.fail();
    assert.deepEqual([rematch.priority, rematch.parameters], [9, { digest: digestOf("b"), policy, report }]);
  });
});
