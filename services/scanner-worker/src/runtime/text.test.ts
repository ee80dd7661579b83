import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cutBytes, oneLine } from "./text.ts";

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

describe("oneLine", () => {
  test("turns breaks and tabs into one space", () => {
    assert.equal(oneLine("a\r\n\tb\u2028c"), "a b c");
  });

  test("removes control characters and terminal colours", () => {
    assert.equal(oneLine("\u001b[31mred\u001b[0m\u0000\u0007!"), "red!");
  });
});
