import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../../domain/job-failure.ts";
import { digestOf, ScanAllRig } from "./test-kit.ts";

const failure = (reason: string) => new JobFailure(reason, "no", { retryable: true });

describe("IMAGE_SCAN_ALL", () => {
  let rig: ScanAllRig;
  beforeEach(() => {
    rig = new ScanAllRig();
    rig.catalog.repositories = { web: { "1.0": "a", "1": "a", "2.0": "b" }, api: { latest: "b", old: "c" } };
  });

  test("launches one unique scan of low priority for each distinct digest, those of a repository together", async () => {
    await rig.runToWait();
    const { context } = rig;
    assert.deepEqual(context.launchedFor("IMAGE_SCAN"), ["b", "c", "a"]);
    const { request } = context.children.get(digestOf("a")) ?? assert.fail();
    const parameters = { repository: "web", digest: digestOf("a"), tags: ["1", "1.0"] };
    const uniqueKey = `scan:${digestOf("a")}`;
    const wanted = { name: "IMAGE_SCAN", parameters, priority: 2, isUnique: true, uniqueKey, key: digestOf("a") };
    assert.deepEqual(request, wanted);
    assert.match(context.text, /^2 repositories, 5 tags, 3 digests \(0 known\): 3 launched, 0 up to date, .* 3 to go/);
  });

  test("asks for each tag once, at most eight at a time, and for none whose digest the list tells", async () => {
    const tags = Object.fromEntries(Array.from({ length: 40 }, (_, place) => [`t${place}`, `${place}`]));
    rig.catalog.repositories = { web: tags };
    await rig.runToWait();
    assert.deepEqual([rig.catalog.heads, rig.catalog.mostAtOnce], [40, 8]);
    const told = new ScanAllRig();
    told.catalog.repositories = { web: tags };
    told.catalog.tellsDigests = true;
    await told.runToWait();
    assert.deepEqual([told.catalog.heads, told.context.children.size], [0, 40]);
  });

  test("tells the controller of every tag, also of those whose digest another repository has", async () => {
    await rig.runToWait();
    assert.deepEqual(rig.context.recorded, [
      { repository: "api", digest: digestOf("b"), tags: ["latest"] },
      { repository: "api", digest: digestOf("c"), tags: ["old"] },
      { repository: "web", digest: digestOf("a"), tags: ["1", "1.0"] },
      { repository: "web", digest: digestOf("b"), tags: ["2.0"] },
    ]);
  });

  test("reads page after page", async () => {
    rig.catalog.pageSize = 1;
    await rig.runToWait();
    assert.equal(rig.context.children.size, 3);
    assert.equal(rig.catalog.asked.filter((what) => what === "list").length, 2);
  });

  test("waits for its scans without a slot, asks the registry no more, and ends when none is alive", async () => {
    await rig.runToWait();
    const asked = rig.catalog.asked.length;
    rig.context.end("SUCCESS", 2);
    await rig.runToWait();
    rig.context.end("SUCCESS");
    await rig.run();
    assert.equal(rig.catalog.asked.length, asked);
    assert.match(rig.context.text, /3 launched, 0 up to date, 3 done, 0 failed$/);
    assert.deepEqual(rig.context.checkins.at(-1)?.progress, { phase: "done", percent: 100 });
  });

  test("tells plainly how many failed, and fails when all did", async () => {
    await rig.runToWait();
    rig.context.end("ERROR", 2);
    await assert.rejects(rig.run(), { name: "JobPostponed" });
    for (const child of [...rig.context.children.values()].slice(2)) child.status = "SUCCESS";
    await rig.run();
    assert.match(rig.context.text, /1 done, 2 of 3 failed$/);
    rig.context.end("ERROR");
    await assert.rejects(rig.run(), { reason: "SCANS_FAILED", retryable: false, message: /3 of 3 failed/ });
  });

  describe("that RetryJob brings back", () => {
    const statuses = () => [...rig.context.children.values()].map(({ status }) => status).sort();

    test("after all scans failed launches them again, and counts the former no more", async () => {
      await rig.runToWait();
      rig.context.end("ERROR");
      await assert.rejects(rig.run(), { reason: "SCANS_FAILED" });
      rig.context.retry();
      await rig.runToWait();
      assert.match(rig.context.text, /: 3 launched, 0 up to date, 0 done, 0 failed, 3 to go$/);
      assert.deepEqual(statuses(), ["ERROR", "ERROR", "ERROR", "PENDING", "PENDING", "PENDING"]);
    });

    test("after it was cancelled with its scans launches those again that did not succeed", async () => {
      await rig.runToWait();
      rig.context.end("CANCELLED");
      rig.context.end("SUCCESS", 1);
      rig.context.retry();
      await rig.runToWait();
      assert.deepEqual(statuses(), ["CANCELLED", "CANCELLED", "PENDING", "PENDING", "SUCCESS"]);
      for (const child of rig.context.children.values()) if (child.status === "PENDING") child.status = "SUCCESS";
      await rig.run();
      assert.match(rig.context.text, /: 3 launched, 0 up to date, 3 done, 0 failed, 2 cancelled before/);
    });

    test("after it was cancelled before the end of its list launches again what it had launched", async () => {
      const killed = new Error("killed");
      rig.catalog.onAsk = (what) => {
        rig.now += 1_000;
        if (what === "web") throw killed;
      };
      await assert.rejects(rig.run(), /killed/);
      const first = [...rig.context.children.keys()];
      assert.ok(first.length > 0);
      rig.context.end("CANCELLED");
      rig.catalog.onAsk = () => undefined;
      // the rest is up to date: no scan is left to wait for
      for (const end of ["a", "b", "c"]) if (!first.includes(digestOf(end))) rig.know(end, { scanner: "" });
      rig.context.retry();
      await rig.runToWait();
      for (const key of first) assert.equal(rig.context.children.get(key)?.status, "PENDING");
    });
  });

  test("tells of scans that somebody stopped or cancelled", async () => {
    await rig.runToWait();
    rig.context.end("SUCCESS");
    rig.context.end("CANCELLED", 2);
    rig.context.end("STOPPED", 1);
    await rig.run();
    assert.match(rig.context.text, /1 done, 0 failed, 1 stopped, 1 cancelled before the list was read again$/);
  });

  test("counts what the controller refuses to launch", async () => {
    rig.context.refused.add(digestOf("a"));
    await rig.runToWait();
    rig.context.end("SUCCESS");
    await rig.run();
    assert.match(rig.context.text, /3 digests .*: 2 launched, 0 up to date, 1 could not be launched, 2 done, 0 failed/);
    assert.ok(rig.context.lines.some((line) => line.includes("FIELD_INVALID")));
  });

  test("launches the first scans after few tags, so that the workers have something to do while it asks for the others", async () => {
    const tags = (from: number) =>
      Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`t${at}`, (from + at).toString(16)]));
    rig.catalog.repositories = Object.fromEntries([0, 1, 2, 3].map((at) => [`app-${at}`, tags(at * 50)]));
    const launched: number[] = [];
    rig.catalog.onAsk = (what) => void (what.startsWith("app-") && launched.push(rig.context.children.size));
    await rig.runToWait();
    assert.deepEqual([...new Set(launched)], [0, 50, 150]);
  });

  test("launches nothing more while 5,000 scans are alive", async () => {
    const many = Array.from({ length: 6_000 }, (_, place) => [`t${place}`, place.toString(16)]);
    rig.catalog.repositories = { web: Object.fromEntries(many), zoo: { last: "fffff" } };
    rig.catalog.tellsDigests = true;
    await rig.runToWait();
    assert.equal(rig.context.children.size, 5_500);
    await rig.runToWait();
    assert.equal(rig.context.children.size, 6_000);
    rig.context.end("SUCCESS");
    await rig.runToWait();
    assert.equal(rig.context.children.size, 6_001);
  });

  test("tells when it may end, by the pace so far, and looks again the more seldom the longer it takes", async () => {
    const tags = Array.from({ length: 20 }, (_, place) => [`t${place}`, place.toString(16)]);
    rig.catalog.repositories = { web: Object.fromEntries(tags) };
    await rig.runToWait();
    rig.context.end("SUCCESS", 10);
    rig.now = 100_000;
    await assert.rejects(rig.run(), { name: "JobPostponed", afterMs: 10_000, message: /10 to go, about 2 min left$/ });
    rig.now = 10_000_000;
    await assert.rejects(rig.run(), { name: "JobPostponed", afterMs: 30_000, message: /about 3 h left$/ });
  });

  test("has nothing to do in an empty registry, and says so", async () => {
    rig.catalog.repositories = {};
    await rig.run();
    assert.match(rig.context.text, /^0 repositories, 0 tags, 0 digests \(0 known\): 0 launched/);
  });

  test("takes the tags that a repository lost meanwhile for gone", async () => {
    rig.catalog.onAsk = (what) => {
      if (what === "web:1.0") delete rig.catalog.repositories.web?.["1.0"];
    };
    await rig.runToWait();
    assert.deepEqual(rig.context.children.get(digestOf("a"))?.request.parameters.tags, ["1"]);
  });

  describe("with what cannot be read", () => {
    test("counts and names a repository, and scans the rest", async () => {
      rig.catalog.failures.set("api", failure("ACCESS_DENIED"));
      await rig.runToWait();
      rig.context.end("SUCCESS");
      await rig.run();
      assert.match(rig.context.text, /^2 repositories \(1 unreadable\), .*; unreadable: api$/);
      assert.ok(rig.context.lines.includes("unreadable: api: ACCESS_DENIED: no"));
      assert.deepEqual(rig.context.launchedFor("IMAGE_SCAN"), ["a", "b"]);
    });

    test("fails, with the cause, when no repository could be read; RetryJob begins anew", async () => {
      for (const name of ["api", "web"]) rig.catalog.failures.set(name, failure("ACCESS_DENIED"));
      const wanted = {
        reason: "REPOSITORIES_UNREADABLE",
        message: /no repository could be read, of 2 .* api: ACCESS_DENIED: no/,
      };
      await assert.rejects(rig.run(), wanted);
      rig.catalog.failures.clear();
      await rig.runToWait();
      assert.equal(rig.context.children.size, 3);
    });

    test("counts a repository that the parameters name and the registry does not know", async () => {
      for (const newest of [{}, { newest_tags: 2 }]) {
        const own = new ScanAllRig();
        own.catalog.repositories = rig.catalog.repositories;
        await own.runToWait({ repositories: ["api", "docker.io/library/debian"], ...newest });
        assert.match(own.context.text, /unreadable: docker\.io\/library\/debian$/);
        const none = new ScanAllRig();
        await assert.rejects(none.run({ repositories: ["docker.io/library/debian"], ...newest }), {
          reason: "REPOSITORIES_UNREADABLE",
          message: /REPOSITORY_UNKNOWN: the registry has no such repository/,
        });
      }
    });

    test("takes the worker's own fault for a repository's only when a probe passes", async () => {
      rig.catalog.failures.set("api", failure("REGISTRY_AUTH_REJECTED"));
      rig.probe = () => Promise.reject(failure("REGISTRY_AUTH_REJECTED"));
      await assert.rejects(rig.run(), { reason: "REGISTRY_AUTH_REJECTED" });
      rig.probe = async () => undefined;
      await rig.runToWait();
      assert.match(rig.context.text, /unreadable: api$/);
    });

    test("counts what the registry left out of its lists, and fails when that was all", async () => {
      rig.catalog.leftOut = { repositories: { count: 2, examples: ["p is a project that may not be listed"] } };
      await rig.runToWait();
      assert.match(rig.context.text, /2 entries of the registry's lists left out/);
      assert.ok(rig.context.lines.includes("left out: p is a project that may not be listed"));
      const empty = new ScanAllRig();
      empty.catalog.leftOut = { repositories: { count: 1, examples: [] } };
      await assert.rejects(empty.run(), { reason: "REPOSITORIES_UNREADABLE", message: /1 entries .* left out/ });
    });

    test("counts a tag", async () => {
      rig.catalog.failures.set("web:1.0", failure("MANIFEST_INVALID"));
      await rig.runToWait();
      assert.match(rig.context.text, /5 tags \(1 unreadable\)/);
      assert.ok(rig.context.lines.includes("web:1.0 is unreadable: MANIFEST_INVALID: no"));
    });

    test("fails when no tag could be read, in those repositories that could", async () => {
      rig.catalog.failures.set("api", failure("ACCESS_DENIED"));
      for (const tag of ["1.0", "1", "2.0"]) rig.catalog.failures.set(`web:${tag}`, failure("MANIFEST_INVALID"));
      const wanted = {
        reason: "REPOSITORIES_UNREADABLE",
        message: /no tag could be read, of 3 in 2 repositories, 1 of /,
      };
      await assert.rejects(rig.run(), wanted);
      rig.catalog.failures.delete("web:1");
      await rig.runToWait();
      assert.deepEqual(rig.context.launchedFor("IMAGE_SCAN"), ["a"]);
    });

    test("waits for a registry that is away or limits, and goes on where it was", async () => {
      for (const [reason, what] of [
        ["REGISTRY_UNREACHABLE", "list"],
        ["REGISTRY_RATE_LIMITED", "web"],
        ["REGISTRY_UNREACHABLE", "web:2.0"],
      ] as const) {
        const own = new ScanAllRig();
        own.catalog.repositories = rig.catalog.repositories;
        own.catalog.failures.set(what, failure(reason));
        for (let time = 0; time < 5; time += 1) await assert.rejects(own.run(), { reason, fault: "outside" });
        own.catalog.failures.clear();
        await own.runToWait();
        assert.equal(own.context.children.size, 3);
        assert.match(own.context.text, /^2 repositories, 5 tags, 3 digests/);
        assert.doesNotMatch(own.context.text, /unreadable/);
        assert.equal(own.catalog.asked.filter((asked) => asked === "api").length, 1);
      }
    });

    test("passes over a repository at which the registry fails three times, and at nothing else", async () => {
      rig.catalog.failures.set("web", failure("REGISTRY_FAULT"));
      await assert.rejects(rig.run(), { reason: "REGISTRY_FAULT" });
      await assert.rejects(rig.run(), { reason: "REGISTRY_FAULT" });
      await rig.runToWait();
      assert.match(rig.context.text, /unreadable: web$/);
    });
  });
});
