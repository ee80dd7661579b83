import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { canonicalJson, uniqueKeyOf } from "./unique-key.ts";

describe("the key of a unique job", () => {
  test("does not depend on the order of the parameters", () => {
    assert.equal(uniqueKeyOf("A", "", { a: 1, b: { c: 2, d: 3 } }), uniqueKeyOf("A", "", { b: { d: 3, c: 2 }, a: 1 }));
    assert.equal(canonicalJson({ b: [2, 1], a: undefined, c: null }), '{"b":[2,1],"c":null}');
  });

  test("differs by name, by value and between a given key and parameters", () => {
    const keys = [
      uniqueKeyOf("A", "", { a: 1 }),
      uniqueKeyOf("B", "", { a: 1 }),
      uniqueKeyOf("A", "", { a: "1" }),
      uniqueKeyOf("A", '{"a":1}', {}),
      uniqueKeyOf("A", "", {}),
    ];
    assert.equal(new Set(keys).size, keys.length);
  });
});
