import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeenDigests } from "./seen-digests.ts";

describe("the digests that were seen", () => {
  test("count once, also after they were stored", () => {
    const seen = new SeenDigests("");
    assert.deepEqual([seen.add("sha256:a"), seen.add("sha256:b"), seen.add("sha256:a")], [true, true, false]);
    const again = new SeenDigests(seen.toText());
    assert.deepEqual([again.add("sha256:a"), again.add("sha256:c")], [false, true]);
  });

  test("are stored as far as there is room in a checkpoint, the newest", () => {
    const seen = new SeenDigests("");
    for (let count = 0; count < 10_000; count += 1) seen.add(`sha256:${count}`);
    const text = seen.toText();
    assert.ok(text.length < 44_000, String(text.length));
    const again = new SeenDigests(text);
    assert.deepEqual([again.add("sha256:9999"), again.add("sha256:0")], [false, true]);
  });
});
