import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { digestOf, ScanAllRig } from "./test-kit.ts";

describe("the totals of a scan of all images", () => {
  let rig: ScanAllRig;
  beforeEach(() => {
    rig = new ScanAllRig();
    rig.catalog.repositories = { web: { "1.0": "a", "1": "a", "2.0": "b" }, api: { latest: "b", old: "c" } };
  });

  test("add up, with what jobs of others scan and tags that are gone", async () => {
    rig.context.others.add(digestOf("a"));
    rig.catalog.onAsk = (what) => {
      if (what === "web:1") delete rig.catalog.repositories.web?.["1"];
    };
    await rig.runToWait();
    rig.context.end("SUCCESS");
    await rig.run();
    const counts = "2 repositories, 5 tags (1 gone), 3 digests (0 known)";
    const ends = "2 launched, 0 up to date, 1 scanned by other jobs, 2 done, 0 failed";
    assert.equal(rig.context.text, `${counts}: ${ends}`);
  });

  for (const [parameters, message] of [
    [{ include: ["wbe"] }, /^no repository fits include and exclude, of 2 in the registry's list$/],
    [{ exclude: ["**"] }, /^no repository fits include and exclude/],
    [{ tag_pattern: "v*" }, /^no tag fits tag_pattern, of 5 in 2 repositories$/],
  ] as const) {
    test(`are no success when nothing fits ${JSON.stringify(parameters)}, which may be misspelt`, async () => {
      await assert.rejects(rig.run(parameters), { reason: "NOTHING_FITS", retryable: false, message });
      rig.catalog.repositories = { wbe: { "v1.0": "a" } };
      if (!("exclude" in parameters)) await rig.runToWait(parameters);
    });
  }

  test("say at the end how much the scanner could look at, in what was launched and what was up to date", async () => {
    rig.know("a", { scanner: "" });
    rig.context.counts = { FULL: 1, PARTIAL: 1, NONE: 2 };
    await rig.runToWait();
    assert.doesNotMatch(rig.context.text, /coverage/);
    rig.context.end("SUCCESS");
    await rig.run();
    assert.match(rig.context.text, /, coverage of 3 reports: 2 FULL, 1 PARTIAL, 2 without a report$/);
  });

  test("count what was launched by a worker that was lost before it stored that as launched, once", async () => {
    const { context } = rig;
    const save = context.saveCheckpoint.bind(context);
    context.saveCheckpoint = () => Promise.reject(new Error("killed"));
    await assert.rejects(rig.run(), /killed/);
    Object.assign(context, { saveCheckpoint: save, counts: { FULL: 3 } });
    for (const end of ["a", "b", "c"]) rig.know(end, { scanner: "" });
    context.end("SUCCESS");
    await rig.run();
    assert.match(
      context.text,
      /3 digests \(3 known\): 3 launched, 0 up to date, 3 done, 0 failed, coverage of 3 reports: 3 FULL$/,
    );
  });

  test("count the jobs of before with the others when RetryJob has brought it back, also for what has gone since", async () => {
    await rig.runToWait();
    rig.context.end("SUCCESS");
    rig.context.end("CANCELLED", 1);
    rig.context.retry();
    const [cancelled = ""] = rig.context.launched.map(({ key }) => key);
    const { web = {} } = rig.catalog.repositories;
    rig.catalog.repositories = {
      web: Object.fromEntries(Object.entries(web).filter(([, end]) => digestOf(end) === cancelled)),
    };
    await rig.runToWait();
    const jobs =
      "0 up to date, 3 jobs with those of before, 2 done, 0 failed, 1 cancelled before the list was read again";
    assert.match(rig.context.text, new RegExp(`, 1 digest \\(0 known\\): 1 launched, ${jobs}, 1 to go$`));
    for (const child of rig.context.children.values()) if (child.status === "PENDING") child.status = "SUCCESS";
    await rig.run();
    assert.match(rig.context.text, /: 1 launched, 0 up to date, 3 jobs with those of before, 3 done, 0 failed, 1 canc/);
  });

  test("say how much the parameters passed over", async () => {
    await rig.runToWait({ include: ["web"], tag_pattern: "1*" });
    assert.match(
      rig.context.text,
      /^1 repository, 2 tags, 1 digest .*, 1 repository and 1 tag passed over by the parameters/,
    );
  });
});
