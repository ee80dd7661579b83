import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cutBytes } from "./text.ts";

describe("cutBytes", () => {
  test("leaves a text that fits as it is", () => {
    assert.equal(cutBytes("naïve", 6), "naïve");
  });

  test("never cuts within a character", () => {
    assert.equal(cutBytes("aé", 2), "a");
    assert.equal(cutBytes("a😀b", 4), "a");
    assert.equal(cutBytes("a😀b", 5), "a😀");
  });
});
