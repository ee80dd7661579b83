import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Job } from "../domain/job.ts";
import { JobChanges } from "./job-changes.ts";
import type { ShownJob } from "./recent-capacities.ts";
import { readLog, watchJob } from "./watch-job.ts";
import { WatchedJobs } from "./watched-jobs.ts";

async function turnOften(count = 20): Promise<void> {
  for (let at = 0; at < count; at++) await turn();
}

/** Jobs that a test changes, whose reads are counted, and which it watches. */
function setUp(context: TestContext) {
  context.mock.timers.enable({ apis: ["setInterval"] });
  const jobs = new Map<string, ShownJob>();
  const under = { peeks: 0, gets: 0, log: "", logReads: 0, error: undefined as Error | undefined };
  const read = (jobId: string) => {
    if (under.error !== undefined) throw under.error;
    return jobs.get(jobId) as Job;
  };
  const changes = new JobChanges();
  const pool = {
    peek: async (jobId: string) => {
      under.peeks++;
      return read(jobId);
    },
    get: async (jobId: string) => {
      under.gets++;
      return read(jobId);
    },
  };
  const capacities = { show: async (job: Job) => job };
  const logs = {
    append: () => assert.fail(),
    read: async (_: string, offset: number) => {
      under.logReads++;
      return { text: under.log.slice(offset), nextOffset: under.log.length };
    },
  };
  const deps = { pool, capacities, logs, watched: new WatchedJobs({ pool, capacities, changes }) };
  const set = (jobId: string, revision: number, status: Job["status"] = "RUNNING") =>
    jobs.set(jobId, { id: jobId, revision, status } as Job);
  const watch = (jobId: string, { signal } = new AbortController()) => {
    const seen: number[] = [];
    const ended = (async () => {
      for await (const { revision } of watchJob(deps, { jobId, afterRevision: 0 }, signal)) seen.push(revision);
    })();
    ended.catch(() => {});
    return { seen, ended };
  };
  const follow = (jobId: string) => {
    const seen: string[] = [];
    const ended = (async () => {
      const { signal } = new AbortController();
      for await (const { text } of readLog(deps, { jobId, offset: 0, follow: true }, signal)) seen.push(text);
    })();
    return { seen, ended };
  };
  const look = async () => {
    context.mock.timers.tick(500);
    await turnOften();
  };
  return { under, changes, set, watch, follow, look };
}

describe("the watchers of a job", () => {
  test("are told of its changes, by one read for all of them", async (context) => {
    const { under, changes, set, watch } = setUp(context);
    set("a", 1);
    const watchers = Array.from({ length: 120 }, () => watch("a"));
    await turnOften();
    assert.equal(under.peeks, 1);
    set("a", 2);
    changes.changed("a");
    await turnOften();
    assert.equal(under.peeks, 2);
    set("a", 3, "SUCCESS");
    changes.changed("a");
    await Promise.all(watchers.map(({ ended }) => ended));
    assert.ok(watchers.every(({ seen }) => seen.join() === "1,2,3"));
  });

  test("are not woken while nothing changes, though the job is looked at for what other controllers do", async (context) => {
    const { under, set, watch, look } = setUp(context);
    set("a", 1);
    const watchers = Array.from({ length: 100 }, () => watch("a"));
    await turnOften();
    under.peeks = 0;
    await look();
    await look();
    assert.ok(under.peeks > 0 && under.peeks <= 20, `${under.peeks} looks`);
    set("a", 2, "SUCCESS");
    await look();
    await Promise.all(watchers.map(({ ended }) => ended));
    assert.ok(watchers.every(({ seen }) => seen.join() === "1,2"));
    under.peeks = 0;
    await look();
    assert.equal(under.peeks, 0, "nobody watches it any more");
  });

  test("hear of a change that comes while the one before is read", async (context) => {
    const { changes, set, watch } = setUp(context);
    set("a", 1);
    const { seen } = watch("a");
    await turnOften();
    set("a", 2);
    changes.changed("a");
    await Promise.resolve();
    set("a", 3);
    changes.changed("a");
    await turnOften();
    assert.equal(seen.at(-1), 3);
  });

  test("are told why the job can't be read, and those that come later watch it again", async (context) => {
    const { under, changes, set, watch } = setUp(context);
    set("a", 1);
    const watchers = [watch("a"), watch("a")];
    await turnOften();
    under.error = new Error("Redis is away");
    changes.changed("a");
    for (const { ended } of watchers) await assert.rejects(ended, /Redis is away/);
    under.error = undefined;
    const later = watch("a");
    await turnOften();
    set("a", 2, "SUCCESS");
    changes.changed("a");
    await later.ended;
    assert.deepEqual(later.seen, [1, 2]);
  });

  test("stop when their calls are over, and others go on", async (context) => {
    const { changes, set, watch } = setUp(context);
    set("a", 1);
    const call = new AbortController();
    const [one, other] = [watch("a", call), watch("a")];
    await turnOften();
    call.abort(new Error("gone"));
    await assert.rejects(one.ended, /gone/);
    set("a", 2, "SUCCESS");
    changes.changed("a");
    await other.ended;
    assert.deepEqual(other.seen, [1, 2]);
  });

  test("of many jobs cost no more than 2,000 looks a second", async (context) => {
    const { under, set, watch, look } = setUp(context);
    for (let at = 0; at < 3_000; at++) {
      set(`${at}`, 1);
      watch(`${at}`);
    }
    await turnOften();
    under.peeks = 0;
    await look();
    assert.ok(under.peeks <= 1_000, `${under.peeks} looks in half a second`);
  });
});

describe("who follows a log", () => {
  test("gets what is appended, here and by other controllers, and the last lines of a job that has ended", async (context) => {
    const { under, changes, set, follow, look } = setUp(context);
    set("a", 1);
    under.log = "one";
    const { seen, ended } = follow("a");
    await turnOften();
    under.log += "two";
    changes.changed("a");
    await turnOften();
    under.log += "three";
    await look();
    under.log += "four";
    set("a", 2, "SUCCESS");
    changes.changed("a");
    await ended;
    assert.deepEqual(seen, ["one", "two", "three", "four"]);
  });
});
