import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest } from "./nearest.ts";

test("the edit distance counts letters put in, taken out and changed", () => {
  assert.equal(editDistance("", ""), 0);
  assert.equal(editDistance("abc", ""), 3);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("SLOTS", "SLOT"), 1);
});

test("the nearest candidate is the one with the least distance, the first of several", () => {
  assert.equal(nearest("SLOT", ["LISTEN", "SLOTS", "SHOTS"]), "SLOTS");
  assert.equal(nearest("a", ["b", "c"]), "b");
  assert.equal(nearest("a", []), undefined);
});
