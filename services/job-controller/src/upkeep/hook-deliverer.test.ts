import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hookPatienceMs } from "../domain/status-hook.ts";
import { settlementOf } from "./hook-deliverer.ts";

const at = 1_000_000;
const event = { sequence: 1, status: "PENDING", checkIn: "", at } as const;
const failed = { kind: "failed", cause: "HTTP 500" } as const;

describe("after a delivery", () => {
  test("an event that was taken is done, and one whose receiver is gone too", () => {
    assert.deepEqual(settlementOf({ event, failures: 3 }, { kind: "delivered" }, at), { kind: "delivered" });
    assert.deepEqual(settlementOf({ event, failures: 0 }, { kind: "gone" }, at), { kind: "gone" });
  });

  test("the waits double from 1 s to 10 min, and are drawn from 0 to that", () => {
    const waits = [0, 1, 2, 9, 10, 500].map((failures) => {
      const settlement = settlementOf({ event, failures }, failed, at, 1);
      return settlement.kind === "retry" ? settlement.at - at : -1;
    });
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 512_000, 600_000, 600_000]);
    assert.deepEqual(settlementOf({ event, failures: 5 }, failed, at, 0), { kind: "retry", at });
  });

  test("a receiver that says when to come again is left alone until then, an hour at most", () => {
    const waitAfter = (retryAfterMs: number, random: number) => {
      const settlement = settlementOf({ event, failures: 0 }, { ...failed, retryAfterMs }, at, random);
      return settlement.kind === "retry" ? settlement.at - at : -1;
    };
    assert.deepEqual([waitAfter(30_000, 0), waitAfter(30_000, 1)], [30_000, 30_000]);
    assert.equal(waitAfter(100, 1), 1_000, "not sooner than by the back-off");
    assert.equal(waitAfter(86_400_000, 0), 3_600_000);
  });

  test("the last try is 24 hours after the event, and then it has failed", () => {
    const end = at + hookPatienceMs;
    assert.deepEqual(settlementOf({ event, failures: 99 }, failed, end - 5, 1), { kind: "retry", at: end });
    assert.deepEqual(settlementOf({ event, failures: 99 }, failed, end, 1), { kind: "failed" });
  });
});
