import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "./errors.ts";

describe("an error with a reason", () => {
  test("that is an answer has no stack: most of its cost when hostile clients get thousands a second", () => {
    const { stack = "" } = new ReasonedError("JOB_NOT_FOUND", "there is no job a");
    assert.doesNotMatch(stack, /\n\s+at /);
    assert.match(stack, /there is no job a/);
  });

  test("that is a fault has one, and so has its cause", () => {
    assert.match(new ReasonedError("INTERNAL", "a fault").stack ?? "", /\n\s+at /);
    const cause = new Error("what led to it");
    const { facts } = new ReasonedError("REDIS_UNAVAILABLE", "Redis does not answer", { cause });
    assert.match((facts.cause as Error).stack ?? "", /\n\s+at /);
  });

  test("changes the stacks of no others", () => {
    new ReasonedError("JOB_NOT_FOUND", "there is no job a");
    assert.match(new Error("another").stack ?? "", /\n\s+at /);
  });
});
