import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHealthState } from "./health.ts";

describe("the health state", () => {
  test("begins with the whole process not serving", () => {
    assert.deepEqual([...createHealthState().all()], [["", false]]);
  });

  test("knows what was registered or set, and keeps what was set before it was registered", () => {
    const health = createHealthState();
    health.register("a");
    health.set("b", true);
    health.register("b");
    assert.equal(health.get("a"), false);
    assert.equal(health.get("b"), true);
    assert.equal(health.get("c"), undefined);
    health.setAll(true);
    assert.deepEqual([health.get(""), health.get("a")], [true, true]);
  });

  test("tells listeners of changes until they leave", () => {
    const health = createHealthState();
    let changes = 0;
    const leave = health.onChange(() => {
      changes += 1;
    });
    health.set("", true);
    leave();
    health.set("", false);
    assert.equal(changes, 1);
  });

  test("stays down after shutdown", () => {
    const health = createHealthState();
    health.set("a", true);
    health.shutdown();
    health.setAll(true);
    assert.deepEqual([health.get(""), health.get("a")], [false, false]);
  });
});
