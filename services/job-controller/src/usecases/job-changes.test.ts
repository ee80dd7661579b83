import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobChanges } from "./job-changes.ts";

const never = new AbortController().signal;

describe("a watcher of a job", () => {
  test("hears of a change of that job, as do others", async () => {
    const changes = new JobChanges();
    const [one, two] = [changes.next("a", 60_000, never), changes.next("a", 60_000, never)];
    changes.changed("a");
    await Promise.all([one, two]);
  });

  test("does not hear of other jobs and looks by itself when the time is over", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const changes = new JobChanges();
    let changed = false;
    const waiting = changes.next("a", 500, never).then(() => {
      changed = true;
    });
    changes.changed("b");
    await Promise.resolve();
    assert.equal(changed, false);
    t.mock.timers.tick(500);
    await waiting;
    assert.equal(changed, true);
  });

  test("stops waiting when its call is over", async () => {
    const changes = new JobChanges();
    const call = new AbortController();
    const waiting = changes.next("a", 60_000, call.signal);
    call.abort(new Error("gone"));
    await assert.rejects(waiting, /gone/);
    assert.throws(() => changes.next("a", 60_000, call.signal), /gone/);
  });
});
