import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import type { FoundImage } from "../ports/job.ts";
import { createClairNotification } from "./clair-notification.ts";
import { FakeJobContext } from "./fake-job-context.ts";
import type { NotificationPage } from "./scanner-notifications.ts";
import { digest, failsWith } from "./test-kit.ts";

class Context extends FakeJobContext {
  override async findImages(names: readonly string[] = []): Promise<FoundImage[]> {
    return names.map((name) => ({ repository: "web", digest: digest(name), tags: [] }));
  }
}

describe("CLAIR_NOTIFICATION", () => {
  let context: Context;
  let pages: Record<string, NotificationPage>;
  let removed: string[];

  beforeEach(() => {
    context = new Context();
    removed = [];
    pages = {
      first: { layerNames: ["a", "b"], vulnerabilities: ["CVE-1"], next: "second" },
      second: { layerNames: ["b", "c"], vulnerabilities: ["CVE-1"], next: undefined },
    };
  });

  const run = (given: object = {}) => {
    const type = createClairNotification({
      read: async (_name, from = "first") => pages[from],
      remove: async (name) => void removed.push(name),
    });
    return type.run(context, type.parameters.parse({ name: "n", delay_seconds: 0, ...given }));
  };

  const keys = () => context.launched.map(({ uniqueKey }) => uniqueKey);

  test("has each image of all pages matched anew, once, and then deletes it", async () => {
    await run();
    assert.deepEqual(
      context.launched.map(({ name, parameters, isUnique }) => [name, parameters, isUnique]),
      ["a", "b", "c"].map((end) => ["IMAGE_REMATCH", { digest: digest(end) }, true]),
    );
    assert.deepEqual(removed, ["n"]);
    assert.equal(context.checkins.at(-1)?.text, "CVE-1 changed: 3 images are matched anew");
  });

  test("waits to the end of a span, with others whose rematches it shares, before it asks Clair", async () => {
    pages = { first: { layerNames: ["a"], vulnerabilities: [], next: undefined } };
    for (const [launchedAt, afterMs] of [
      [new Date(600_000), 300_000],
      [new Date(899_000), 1_000],
    ] as const) {
      context = new Context(`job-${afterMs}`);
      context.state = { ...context.state, launchedAt, now: launchedAt };
      await assert.rejects(run({ delay_seconds: 300 }), { name: "JobPostponed", afterMs });
      assert.deepEqual([context.launched, removed], [[], []]);
      // its worker was killed, and another one has it now
      context.state = { ...context.state, now: new Date(899_990) };
      await assert.rejects(run({ delay_seconds: 300 }), { name: "JobPostponed", afterMs: 10 });
      context.state = { ...context.state, now: new Date(900_000) };
      await run({ delay_seconds: 300 });
      assert.deepEqual(keys(), [`rematch:until-900000:${digest("a")}`]);
      removed = [];
    }
  });

  test("that is not to wait shares its rematches with nobody: one under way may have read the image before", async () => {
    await run();
    assert.equal(keys()[0], `rematch:${context.jobId}:${digest("a")}`);
  });

  test("that Clair does not have any more was dealt with", async () => {
    pages = {};
    await run();
    assert.deepEqual([context.launched, removed], [[], []]);
    assert.match(context.checkins.at(-1)?.text ?? "", /was dealt with/);
  });

  test("is not deleted when an image could not be named to the controller", async () => {
    context.onLaunch = () => ({ failure: new JobFailure("QUEUE_DRAINED", "no", { retryable: true }) });
    await assert.rejects(run(), failsWith("QUEUE_DRAINED"));
    assert.deepEqual(removed, []);
  });

  test("with pages that lead to themselves ends", async () => {
    pages.second = { layerNames: [], vulnerabilities: [], next: "second" };
    await assert.rejects(run(), failsWith("SCANNER_FAULT", /without end/));
    assert.deepEqual(removed, []);
  });
});
