import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toParametersJson } from "./parameters-json.ts";

function nestedList(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe("parameters as JSON", () => {
  test("give every number again, bit by bit", () => {
    const numbers = [0, -0, 1, -1, 0.1 + 0.2, 1e308, -1e308, 5e-324, 2 ** 53, 2 ** 53 + 2, 1e21, Number.MAX_VALUE];
    const { json, fault } = toParametersJson({ numbers, deep: { zero: -0 } });
    assert.equal(fault, undefined);
    const read = JSON.parse(json);
    for (const [at, number] of numbers.entries()) assert.ok(Object.is(read.numbers[at], number), String(number));
    assert.ok(Object.is(read.deep.zero, -0));
  });

  test("refuse a number that JSON has not, and say where", () => {
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const { fault } = toParametersJson({ sizes: [1, { "a.b": number }] });
      assert.deepEqual(fault?.path, ".sizes[1].a.b");
      assert.match(fault?.rule ?? "", /^must be a finite number/);
    }
  });

  test("give every name again", () => {
    const text = '{"__proto__":{"__proto__":1},"constructor":2,"toString":[{"__proto__":"x"}]}';
    assert.equal(toParametersJson(JSON.parse(text)).json, text);
  });

  test("are at most 32 levels deep", () => {
    assert.equal(toParametersJson({ list: nestedList(31) }).fault, undefined);
    const { fault } = toParametersJson({ list: nestedList(32) });
    assert.equal(fault?.rule, "must not be nested more than 32 levels deep");
    assert.match(fault?.path ?? "", /^\.list(\[0\]){31}$/);
  });
});
