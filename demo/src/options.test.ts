import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readOptions } from "./options.ts";

describe("the command line of the demo", () => {
  test("may keep everything up, or ask for help", () => {
    assert.deepEqual(readOptions([]), { keep: false });
    assert.deepEqual(readOptions(["--keep"]), { keep: true });
    for (const args of [["--help"], ["-h"], ["--keep", "-h"], ["-x", "--help"]]) {
      assert.equal(readOptions(args), undefined);
    }
  });

  for (const args of [["-k"], ["--kept"], ["--keep=1"], ["--no-keep"], ["keep"], ["--keep", ""], ["\u001b[2J\u202e"]]) {
    test(`refuses ${JSON.stringify(args)} in one line`, () => {
      const message = /^the argument "[^\p{C}]*" is not known: it takes --keep and --help$/u;
      assert.throws(() => readOptions(args), { message });
    });
  }
});
