import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { inertLines, oneLine } from "./plain-text.ts";

const acts = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

describe("text from outside on one line", () => {
  for (const [what, text, line] of [
    ["breaks and tabs as a space", "a\r\n\tb\u2028c\u0085d", "a b c d"],
    ["no colours", "\u001b[1;31mred\u001b[0m", "red"],
    ["no moves of the cursor", "ok\u001b[2J\u001b[H\u009b1Agone", "okgone"],
    ["no title and no link", "\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\b", "ab"],
    ["the text behind a sequence without an end", "\u001b]0;title", "0;title"],
    ["no short sequences", "a\u001bcb\u001b(Bd\u001b", "abd"],
    ["no other controls", "a\u0000\u0007\u0008b\u007f", "ab"],
    ["nothing that turns its direction", "admin\u202egnp.exe\u2066\u200f", "admingnp.exe"],
    ["what joins letters and emoji", "می\u200cخواهم 👩\u200d🔬", "می\u200cخواهم 👩\u200d🔬"],
    ["well-formed characters", "a\ud800b", "a\ufffdb"],
  ] as const) {
    test(`has ${what}`, () => assert.equal(oneLine(text), line));
  }

  test("has nothing that acts, whatever it was, and stays as it is then", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\u001b", "\u001b[", "\u202e", "\u009b", "m"),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const line = oneLine(pieces.join(""));
        assert.doesNotMatch(line, acts);
        assert.equal(oneLine(line), line);
      }),
    );
  });
});

describe("the lines of a log", () => {
  test("keep their ends and tabs, and have nothing that acts", () => {
    const text = "one\ttab\r\ntwo\rover\n\u001b[31mred\u0000\u009b \u202eturned\u061c\n";
    assert.equal(inertLines(text), "one\ttab \ntwo\nover\n?[31mred?\u00bf \ufffdturned\u00bf\n");
  });

  test("have as many bytes as before, whatever they were", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", "\r", "\r\n", "\u2069"), (text, end) => {
        const inert = inertLines(text + end);
        assert.equal(Buffer.byteLength(inert), Buffer.byteLength(text + end));
        assert.doesNotMatch(inert.replaceAll(/[\n\t]/g, ""), acts);
      }),
    );
  });

  test("are inert also when a sequence is cut between two pieces", () => {
    assert.equal(inertLines("a\u001b") + inertLines("[2Jb"), "a?[2Jb");
  });
});
