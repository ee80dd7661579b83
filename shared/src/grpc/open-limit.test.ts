import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OpenLimit } from "./open-limit.ts";

const make = () => new OpenLimit({ name: "watches", remedy: "end some", most: 5, mostOfAddress: 3 });
const enterOften = (limit: OpenLimit, address: string, count: number) =>
  Array.from({ length: count }, () => limit.enter(address)?.message);

describe("what clients may have open", () => {
  test("is less from one address than in all, and the error names the rule and the way out", () => {
    const limit = make();
    const [, , third, fourth] = enterOften(limit, "a", 4);
    assert.equal(third, undefined);
    assert.match(fourth ?? "", /3 watches are open from your address.*; end some/);
    const [, second, beyond] = enterOften(limit, "b", 3);
    assert.equal(second, undefined);
    assert.match(beyond ?? "", /has 5 watches open.*; end some/);
    assert.equal(limit.open, 5);
  });

  test("has a reserve for those that have few", () => {
    const limit = new OpenLimit({ name: "watches", remedy: "end some", most: 5, mostOfAddress: 3, reserve: 2 });
    enterOften(limit, "a", 3);
    assert.match(limit.enter("a")?.message ?? "", /3 watches are open from your address/);
    const hasFew = true;
    const refusals = Array.from({ length: 3 }, () => limit.enter("a", hasFew)?.message);
    assert.deepEqual(refusals.slice(0, 2), [undefined, undefined]);
    assert.match(refusals[2] ?? "", /3 watches are open from your address/, "one address does not fill all the room");
    assert.match(limit.enter("b")?.message ?? "", /has 5 watches open/);
    const others = Array.from({ length: 3 }, () => limit.enter("b", hasFew)?.message);
    assert.deepEqual(others.slice(0, 2), [undefined, undefined]);
    assert.match(others[2] ?? "", /has 5 watches open/);
    assert.equal(limit.open, 7);
  });

  test("is free again when it has ended", () => {
    const limit = make();
    enterOften(limit, "a", 3);
    limit.leave("a");
    assert.deepEqual(enterOften(limit, "a", 1), [undefined]);
    for (let count = 0; count < 3; count++) limit.leave("a");
    assert.equal(limit.open, 0);
    assert.deepEqual(enterOften(limit, "b", 3), [undefined, undefined, undefined]);
  });
});
