import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { ByteBudget } from "./byte-budget.ts";
import { ReasonedError } from "./errors.ts";

const { signal } = new AbortController();
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A budget of 100 bytes and who got its bytes, in order. */
function scene(options: { waitMs?: number; maxWaiting?: number } = {}) {
  const budget = new ByteBudget({ name: "tests", bytes: 100, ...options });
  const served: string[] = [];
  const ask = async (name: string, bytes: number, own = signal) => {
    const hold = await budget.acquire(bytes, own);
    served.push(name);
    return hold;
  };
  return { budget, served, ask };
}

const isBusy = (error: unknown) => {
  assert.ok(error instanceof ReasonedError);
  assert.deepEqual([error.reason, error.facts.retryAfterMs], ["SERVER_BUSY", 1_000]);
  return true;
};

describe("a byte budget", () => {
  test("lets as much be held at once as it has", async () => {
    const { budget, ask, served } = scene();
    const first = await ask("first", 60);
    await ask("second", 40);
    const third = ask("third", 1);
    await settled();
    assert.deepEqual([served, budget.held], [["first", "second"], 100]);
    first.shrinkTo(0);
    await third;
    assert.equal(budget.held, 41);
  });

  test("serves those first who asked first, also when a later one would fit", async () => {
    const { ask, served } = scene();
    const first = await ask("first", 90);
    const [large, small] = [ask("large", 80), ask("small", 5)];
    await settled();
    assert.deepEqual(served, ["first"]);
    first.shrinkTo(0);
    await Promise.all([large, small]);
    assert.deepEqual(served, ["first", "large", "small"]);
  });

  test("takes back a part of what is held, and nothing twice", async () => {
    const { budget, ask } = scene();
    const hold = await ask("first", 50);
    hold.shrinkTo(20);
    assert.equal(budget.held, 20);
    hold.shrinkTo(40);
    assert.equal(budget.held, 20, "a hold never grows");
    hold.shrinkTo(0);
    hold.shrinkTo(0);
    assert.equal(budget.held, 0);
  });

  test("gives all of it to a request that is larger than it", async () => {
    const { budget, ask } = scene();
    const hold = await ask("giant", 1_000);
    assert.equal(budget.held, 100);
    hold.shrinkTo(0);
    assert.equal(budget.held, 0);
  });

  test("refuses who has waited too long, and goes on with the next", async (context: TestContext) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { budget, ask, served } = scene({ waitMs: 1_000 });
    await ask("first", 50);
    const large = assert.rejects(ask("large", 60), isBusy);
    context.mock.timers.tick(500);
    const small = ask("small", 50);
    context.mock.timers.tick(500);
    await Promise.all([large, small]);
    assert.deepEqual([served, budget.held], [["first", "small"], 100]);
  });

  test("gives bytes at once, or none: not past those who wait", async () => {
    const { budget, ask } = scene();
    const first = budget.tryAcquire(60);
    assert.equal(budget.tryAcquire(41), undefined);
    assert.throws(() => budget.acquireNow(41), isBusy);
    const second = ask("second", 80);
    assert.equal(budget.tryAcquire(1), undefined, "the second has asked first");
    first?.shrinkTo(0);
    const hold = await second;
    budget.acquireNow(20).shrinkTo(0);
    hold.shrinkTo(0);
    assert.equal(budget.held, 0);
  });

  test("refuses at once when too many wait", async () => {
    const { ask } = scene({ maxWaiting: 1 });
    const first = await ask("first", 100);
    const second = ask("second", 100);
    await assert.rejects(ask("third", 1), isBusy);
    first.shrinkTo(0);
    await second;
  });

  test("forgets who does not wait any more", async () => {
    const { budget, ask } = scene();
    const first = await ask("first", 100);
    const gone = new AbortController();
    const second = ask("second", 100, gone.signal);
    gone.abort(new Error("gone"));
    await assert.rejects(second, /gone/);
    first.shrinkTo(0);
    assert.equal(budget.held, 0);
    await assert.rejects(ask("third", 1, gone.signal), /gone/);
    assert.equal(budget.held, 0);
  });

  test("does not lose bytes whose owner goes in the turn in which they are free", async () => {
    const { budget, ask } = scene();
    const first = await ask("first", 100);
    const gone = new AbortController();
    const second = ask("second", 100, gone.signal).catch(() => undefined);
    await settled();
    first.shrinkTo(0);
    gone.abort(new Error("gone"));
    (await second)?.shrinkTo(0);
    assert.equal(budget.held, 0);
  });
});
