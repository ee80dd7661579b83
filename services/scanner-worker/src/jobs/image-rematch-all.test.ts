import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import { FakeJobContext } from "./fake-job-context.ts";
import { createImageRematchAll } from "./image-rematch-all.ts";
import { digest } from "./test-kit.ts";

describe("IMAGE_REMATCH_ALL", () => {
  let context: FakeJobContext;
  const type = createImageRematchAll({ clock: { now: () => 10_000 } });
  const run = (given: object = {}) => type.run(context, type.parameters.parse(given));
  const stand = (subJobs: FakeJobContext["state"]["subJobs"]) => {
    context.state = { ...context.state, subJobs };
  };

  beforeEach(() => {
    context = new FakeJobContext();
    context.found = ["a", "b", "c"].map((end) => ({ repository: "web", digest: digest(end), tags: [] }));
  });

  test("launches a rematch of each image that has a report, at low priority, and waits for them", async () => {
    await run();
    assert.deepEqual(
      context.launched.map(({ name, uniqueKey, priority }) => [name, uniqueKey, priority]),
      ["a", "b", "c"].map((end) => ["IMAGE_REMATCH", `rematch:${digest(end)}`, 2]),
    );
    stand({ RUNNING: 1, SUCCESS: 2 });
    await assert.rejects(run(), { name: "JobPostponed", message: "3 images: 3 launched, 2 done, 0 failed, 1 to go" });
    stand({ SUCCESS: 2, ERROR: 1 });
    await run();
    assert.equal(context.launched.length, 3);
    assert.equal(context.checkins.at(-1)?.text, "3 images: 3 launched, 2 done, 1 of 3 failed");
  });

  test("of repositories of which no image has a report is in error, so that a misspelt name is seen; of all it is not", async () => {
    context.found = [];
    const message = "no image of a repository that fits libary/* has a report";
    await assert.rejects(run({ repository: "libary/*" }), { reason: "NOTHING_FITS", retryable: false, message });
    context.found = [{ repository: "web", digest: digest("a"), tags: [] }];
    await run({ repository: "web" });
    assert.equal(context.launched.length, 1, "brought back it reads the list again");
    context = new FakeJobContext();
    await run();
    assert.equal(context.checkins.at(-1)?.text, "0 images: 0 launched, 0 done, 0 failed");
  });

  test("goes on at the page where it was killed", async () => {
    const save = context.saveCheckpoint.bind(context);
    context.saveCheckpoint = async (text) => {
      await save(text);
      throw new Error("killed");
    };
    await assert.rejects(run(), /killed/);
    context.saveCheckpoint = save;
    await run();
    assert.deepEqual(
      context.launched.map(({ key }) => key),
      ["a", "b", "c"].map(digest),
    );
  });

  test("launches no further page while 5,000 rematches are alive", async () => {
    stand({ PENDING: 5_001 });
    await assert.rejects(run(), { name: "JobPostponed" });
    assert.deepEqual(context.launched, []);
  });

  test("launches all of them again when they were cancelled and RetryJob has brought it back", async () => {
    await run();
    stand({ CANCELLED: 2, SUCCESS: 1 });
    await run();
    assert.equal(context.launched.length, 6);
    stand({ RUNNING: 2, SUCCESS: 1 });
    await assert.rejects(run(), { name: "JobPostponed" });
    stand({ SUCCESS: 3 });
    await run();
    assert.equal(context.launched.length, 6);
  });

  test("begins anew by RetryJob after all of them failed", async () => {
    await run();
    stand({ ERROR: 3 });
    await assert.rejects(run(), { reason: "SCANS_FAILED" });
    await run();
    assert.equal(context.launched.length, 6);
  });

  test("fails when all of them did", async () => {
    context.onLaunch = () => ({ failure: new JobFailure("FIELD_INVALID", "no", { retryable: false }) });
    await assert.rejects(run(), { reason: "SCANS_FAILED", message: /3 could not be launched/ });
  });
});
