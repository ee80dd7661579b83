import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobChanges } from "./job-changes.ts";

describe("who follows a job", () => {
  test("hears of each change of that job, of no other one, and of none when it has gone", () => {
    const changes = new JobChanges();
    let heard = 0;
    changes.follow("a", () => heard++);
    changes.changed("a");
    changes.changed("b");
    changes.changed("a");
    assert.equal(heard, 2);
    changes.forget("a");
    changes.changed("a");
    assert.equal(heard, 2);
  });
});
