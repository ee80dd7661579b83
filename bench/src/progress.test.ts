import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "./progress.ts";

test("progress is a line each in a file, and one line that changes on a terminal", () => {
  for (const [isTTY, wanted] of [
    [false, "   0 s  one\n   0 s  two\n"],
    [true, "\r\x1b[K   0 s  one\r\x1b[K   0 s  two\r\x1b[K"],
  ] as const) {
    let written = "";
    const progress = new Progress({
      isTTY,
      write: (text) => {
        written += text;
      },
    });
    progress.say("one");
    progress.say("two");
    progress.end();
    assert.equal(written, wanted);
  }
});
