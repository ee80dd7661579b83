import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseBoundedJson } from "./bounded-json.ts";

const parse = (text: string) => parseBoundedJson(new TextEncoder().encode(text));
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const listOf = (count: number) => `[${Array(count).fill("{}").join(",")}]`;

describe("JSON from outside", () => {
  test("is parsed as it is", () => {
    for (const text of ['{"a":["]}",{"b\\"[":"\\\\"}],"é":1e3}', "null", '""', '"\\\\"', nested(100), listOf(99_999)])
      assert.deepEqual(parse(text), JSON.parse(text));
  });

  test("may have brackets in its strings, as many as it likes", () => {
    const text = JSON.stringify({ "[[": "[{".repeat(200_000), quote: '\\"[' });
    assert.deepEqual(parse(text), JSON.parse(text));
  });

  test("is refused when it is none, too deep, or too many", () => {
    for (const text of ["", "{", '"', '"\\', "[1,]"]) assert.throws(() => parse(text), SyntaxError, text);
    for (const text of [nested(101), `{"a":${nested(100)}}`])
      assert.throws(() => parse(text), new RangeError("more than 100 objects and lists in each other"));
    assert.throws(() => parse(listOf(100_000)), new RangeError("more than 100000 objects and lists"));
  });

  test("has no more entries than its bounds say", () => {
    const bounds = { containers: 10, entries: 4 };
    const read = (text: string) => parseBoundedJson(Buffer.from(text), bounds);
    for (const text of ["[1,2,3,4]", '{"a,,,,,,":1,"b":{}}']) assert.deepEqual(read(text), JSON.parse(text));
    for (const text of ["[1,2,3,4,5]", "[[[],[]]]", '{"a":1,"b":2,"c":3,"d":[]}'])
      assert.throws(() => read(text), new RangeError("more than 4 entries of objects and lists"), text);
  });

  test("that is made to hold up the process is refused at once", () => {
    const begun = performance.now();
    for (const part of ["[", "[]", "{}", '{"a":', '["', '"', "\\"])
      assert.throws(() => parse(part.repeat(4_000_000 / part.length)), /more than \d+ objects|JSON/);
    assert.ok(performance.now() - begun < 3_000);
  });
});
