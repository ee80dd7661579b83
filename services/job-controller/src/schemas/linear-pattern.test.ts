import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LinearPattern } from "./linear-pattern.ts";

describe("a pattern", () => {
  test("matches as ECMAScript's does", () => {
    for (const [source, text] of [
      ["b", "abc"],
      ["^b", "abc"],
      ["^[a-z]+(?:-[a-z]+)*$", "a-b-c"],
      ["^[a-z]+(?:-[a-z]+)*$", "a--c"],
      ["^\\d{2,3}$", "1234"],
      ["^[^/]+/.*$", "a/b"],
      ["^(?<name>[\\w.]+)@\\u0061$", "x.y@a"],
      ["^\\p{Lu}", "Éa"],
      ["^.{2}$", "🚢🚢"],
      ["a|", ""],
    ] as const) {
      assert.equal(new LinearPattern(source).test(text), new RegExp(source, "u").test(text), `${source} on ${text}`);
    }
  });

  test("goes on matching when it was compiled again, since many others were used meanwhile", () => {
    const patterns = Array.from({ length: 200 }, (_, at) => new LinearPattern(`^x${at}$`));
    for (const [at, pattern] of patterns.entries()) {
      assert.ok(pattern.test(`x${at}`));
      assert.ok(!pattern.test(`x${at + 1}`));
    }
  });

  test("is not taken in another dialect, or when time could not be bounded", () => {
    for (const source of ["(?i)a", "(?=a)", "(a)\\1", "(?<!a)b", "(", "a{2000}"]) {
      assert.throws(() => new LinearPattern(source), SyntaxError, source);
    }
  });
});
