import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OpenTypes } from "./open-types.ts";

/** The types A and B of a worker, and which were opened again. */
function openTypes() {
  const opened: string[] = [];
  const types = new OpenTypes(["A", "B"], (name) => opened.push(name));
  return { types, opened, names: () => [...types.names] };
}

describe("the types that are claimed for a worker", () => {
  test("are all that it knows, without those that it closed", () => {
    const { types, opened, names } = openTypes();
    assert.deepEqual(names(), ["A", "B"]);
    types.close(["A", "UNKNOWN"]);
    assert.deepEqual([names(), opened], [["B"], []]);
    types.close([]);
    assert.deepEqual([names(), opened], [["A", "B"], ["A"]]);
  });

  test("are without one that it rejects, 100 ms first, twice as long each time, 30 s at most", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { types, opened, names } = openTypes();
    for (const waitMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]) {
      types.backOff("A");
      context.mock.timers.tick(waitMs - 1);
      assert.deepEqual([names(), opened], [["B"], []], `${waitMs} ms`);
      context.mock.timers.tick(1);
      assert.deepEqual([names(), opened.splice(0)], [["A", "B"], ["A"]], `${waitMs} ms`);
    }
  });

  test("wait once for all jobs that were under way when the first was rejected", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { types, names } = openTypes();
    for (let at = 0; at < 50; at++) types.backOff("A");
    context.mock.timers.tick(100);
    assert.deepEqual(names(), ["A", "B"]);
    types.backOff("A");
    context.mock.timers.tick(199);
    assert.deepEqual(names(), ["B"]);
  });

  test("are soon claimed again where nothing waited but jobs for other workers", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { types, names } = openTypes();
    for (const waitMs of [100, 200, 400, 500, 500]) {
      types.foundNothing("A");
      context.mock.timers.tick(waitMs - 1);
      assert.deepEqual(names(), ["B"], `${waitMs} ms`);
      context.mock.timers.tick(1);
      assert.deepEqual(names(), ["A", "B"], `${waitMs} ms`);
    }
  });

  test("wait briefly again once a job was run in between", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { types, names } = openTypes();
    for (const waitMs of [100, 200, 400]) {
      types.backOff("A");
      context.mock.timers.tick(waitMs);
    }
    types.ran("A");
    types.backOff("A");
    context.mock.timers.tick(100);
    assert.deepEqual(names(), ["A", "B"]);
  });

  test("stay as they are when the worker closes or opens a type that waits, and open none after the stop", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { types, opened, names } = openTypes();
    types.backOff("A");
    types.close(["A"]);
    context.mock.timers.tick(100);
    assert.deepEqual([names(), opened], [["B"], []], "closed is closed");
    types.backOff("B");
    types.stop();
    context.mock.timers.tick(30_000);
    assert.deepEqual([names(), opened], [[], []]);
  });
});
