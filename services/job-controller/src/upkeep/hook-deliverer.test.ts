import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import type { Job } from "../domain/job.ts";
import { hookPatienceMs } from "../domain/status-hook.ts";
import type { DueHook } from "../ports/hook-outbox.ts";
import { HookDeliverer, settlementOf } from "./hook-deliverer.ts";

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

  test("a receiver that says when to come again is left alone until then", () => {
    const waitAfter = (retryAfterMs: number, random: number) => {
      const settlement = settlementOf({ event, failures: 0 }, { ...failed, retryAfterMs }, at, random);
      return settlement.kind === "retry" ? settlement.at - at : -1;
    };
    assert.deepEqual([waitAfter(30_000, 0), waitAfter(30_000, 1)], [30_000, 30_000]);
    assert.equal(waitAfter(100, 1), 1_000, "not sooner than by the back-off");
  });

  test("the last try is 24 hours after the event, and then it has failed", () => {
    const end = at + hookPatienceMs;
    assert.deepEqual(settlementOf({ event, failures: 99 }, failed, end - 5, 1), { kind: "retry", at: end });
    assert.deepEqual(settlementOf({ event, failures: 99 }, failed, end, 1), { kind: "failed" });
  });
});

/** A deliverer whose outbox has one event, due again whenever it is asked for, and may be away. */
function scene() {
  const it = { now: at, isAway: false, asked: 0, sent: 0, settled: [] as string[], tries: 0, refused: 0 };
  const answers = async <T>(answer: () => T): Promise<T> => {
    if (!it.isAway) return answer();
    it.refused++;
    throw new ReasonedError("REDIS_UNAVAILABLE", "away");
  };
  const next = (): DueHook => {
    it.asked++;
    return {
      ...{ jobId: "j", url: "http://a/", event, failures: 0, stored: "e", isHostSlow: false },
      leaseEndsAt: it.asked,
    };
  };
  const deliverer = new HookDeliverer({
    hooks: {
      due: () => answers(() => ({ due: it.settled.length === 0 ? [next()] : [], nextDueAt: 0 })),
      settle: ({ leaseEndsAt }, { kind }) => {
        it.tries++;
        return answers(() => void it.settled.push(`${kind} ${leaseEndsAt}`));
      },
      redeliver: async () => 0,
      failed: async () => [],
      counts: () => answers(() => ({ waiting: 1, retrying: 0, failing: 0 })),
    },
    sender: {
      send: async () => {
        it.sent++;
        it.isAway = true;
        return { kind: "delivered" };
      },
      stop: async () => {},
    },
    pool: { get: async () => ({}) as Job },
    ...{ toBody: () => "{}", onSettled() {}, clock: { now: () => it.now } },
    logger: createLogger({ name: "test", level: "error", format: "json", destination: { write() {} } }),
  });
  return { it, deliverer };
}

async function untilTrue(is: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!is() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(is(), is.toString());
}

describe("what was delivered while Redis went away", { timeout: 60_000 }, () => {
  test("is stored, under the newest lease, and not sent again, although its lease was over", async () => {
    const { it, deliverer } = scene();
    await deliverer.start();
    await untilTrue(() => it.tries > 0);
    it.isAway = false;
    deliverer.wakeAt(it.now);
    await untilTrue(() => it.settled.length > 0);
    await deliverer.stop();
    assert.deepEqual([it.sent, it.settled], [1, [`delivered ${it.asked}`]]);
    assert.ok(it.asked >= 2, "the lease was renewed");
  });

  test("has 3 s to be stored by another controller before anything is begun", async () => {
    const { it, deliverer } = scene();
    it.isAway = true;
    await deliverer.start();
    await untilTrue(() => it.refused > 0);
    it.isAway = false;
    for (const passed of [0, 2_999]) {
      it.now += passed;
      deliverer.wakeAt(it.now);
      // time enough for a round
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(it.asked, 0);
    }
    it.now += 1;
    deliverer.wakeAt(it.now);
    await untilTrue(() => it.tries > 0);
    it.isAway = false;
    await deliverer.stop();
    assert.equal(it.sent, 1);
  });

  test("is stored when Redis is back while the controller stops", async () => {
    const { it, deliverer } = scene();
    await deliverer.start();
    await untilTrue(() => it.tries > 0);
    const stopped = deliverer.stop();
    await untilTrue(() => it.tries > 1);
    it.isAway = false;
    await stopped;
    assert.deepEqual(it.settled, ["delivered 1"]);
  });

  test("is left behind at the deadline of the stop", async () => {
    const { it, deliverer } = scene();
    await deliverer.start();
    await untilTrue(() => it.tries > 0);
    const deadline = new AbortController();
    const stopped = deliverer.stop(deadline.signal);
    await untilTrue(() => it.tries > 1);
    deadline.abort(new Error("too late"));
    await stopped;
    assert.deepEqual(it.settled, []);
  });
});
