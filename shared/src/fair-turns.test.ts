import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FairTurns, type Party } from "./fair-turns.ts";

const terms = { perTurn: 20, share: 2, inFlight: 1_000, inFlightAlone: 1_000, leastInFlight: 2 };

/** A party whose work is done when it is begun with. */
class Worker implements Party {
  readonly #turns: FairTurns;
  waiting = 0;
  inFlight = 0;
  isFruitless = false;

  constructor(turns: FairTurns) {
    this.#turns = turns;
  }

  get isBusy(): boolean {
    return this.waiting + this.inFlight > 0;
  }

  get isReady(): boolean {
    return this.waiting > 0 && this.inFlight < this.#turns.maxInFlightOf(this);
  }

  add(count: number): void {
    this.waiting += count;
    this.#turns.update(this);
  }

  begin(most: number): number {
    const count = Math.min(most, this.waiting);
    this.waiting -= count;
    return count;
  }
}

describe("the turns of the event loop", () => {
  test("are shared by those who flood", async () => {
    const turns = new FairTurns(terms, () => 0);
    const floods = Array.from({ length: 5 }, () => new Worker(turns));
    for (const flood of floods) flood.add(1_000);
    for (let at = 0; at < 10; at++) await turn();
    const left = floods.map(({ waiting }) => waiting);
    assert.ok(Math.max(...left) - Math.min(...left) <= 20, String(left));
  });

  test("go first to who asks for little, however many flood", async () => {
    const turns = new FairTurns(terms, () => 0);
    const floods = Array.from({ length: 500 }, () => new Worker(turns));
    for (const flood of floods) flood.add(1_000);
    // until all had their first turn, with half of each turn
    for (let at = 0; at < 110; at++) await turn();
    for (let at = 0; at < 5; at++) {
      const modest = new Worker(turns);
      modest.add(1);
      await turn();
      assert.equal(modest.waiting, 0);
    }
  });

  test("begin less the longer they take, and more again when they are short", async () => {
    let [now, turnMs] = [0, 40];
    const turns = new FairTurns(terms, () => now);
    const flood = new Worker(turns);
    const begunInTurn = async () => {
      const before = flood.waiting;
      now += turnMs;
      await turn();
      return before - flood.waiting;
    };
    flood.add(1_000);
    const long = [await begunInTurn(), await begunInTurn(), await begunInTurn()];
    assert.deepEqual(long, [10, 5, 4]);
    turnMs = 2;
    assert.deepEqual(
      [await begunInTurn(), await begunInTurn(), await begunInTurn(), await begunInTurn()],
      [8, 12, 16, 20],
    );
  });

  test("are not taken from the floods for good by those who come anew", async () => {
    const turns = new FairTurns(terms);
    const [flood, other] = [new Worker(turns), new Worker(turns)];
    flood.add(100);
    other.add(100);
    for (let at = 0; at < 20; at++) await turn();
    assert.deepEqual([flood.waiting, other.waiting], [0, 0]);
  });

  test("leave more in flight to who is busy alone", () => {
    const turns = new FairTurns({ ...terms, inFlight: 10, inFlightAlone: 50 }, () => 0);
    const [first, second] = [new Worker(turns), new Worker(turns)];
    first.add(1_000);
    assert.equal(turns.maxInFlightOf(first), 50);
    second.add(1_000);
    assert.equal(turns.maxInFlightOf(first), 5);
  });

  test("are half for those who had something before, however many come anew", async () => {
    const turns = new FairTurns(terms);
    const busy = new Worker(turns);
    busy.add(100);
    for (let at = 0; at < 10; at++) {
      for (let count = 0; count < 50; count++) new Worker(turns).add(1);
      await turn();
    }
    assert.equal(busy.waiting, 0);
  });

  test("are short for floods when they take long, and not for those who ask for little", async () => {
    let now = 0;
    const turns = new FairTurns(terms, () => now);
    const flood = new Worker(turns);
    flood.add(1_000);
    for (let at = 0; at < 5; at++) {
      now += 40;
      await turn();
    }
    const modest = Array.from({ length: 10 }, () => new Worker(turns));
    now += 40;
    for (const each of modest) each.add(1);
    await turn();
    assert.deepEqual(
      modest.map(({ waiting }) => waiting),
      Array(10).fill(0),
    );
  });

  test("come last to those who ask in vain, who have one in flight each", async () => {
    const turns = new FairTurns(terms, () => 0);
    const vain = Array.from({ length: 10 }, () => Object.assign(new Worker(turns), { isFruitless: true }));
    for (const each of vain) each.add(100);
    const flood = new Worker(turns);
    flood.add(1_000);
    for (let at = 0; at < 10; at++) await turn();
    const left = vain.reduce((total, { waiting }) => total + waiting, 0);
    assert.ok(left >= 1_000 - 11 && left < 1_000, `${left} left`);
    assert.ok(flood.waiting <= 1_000 - 10 * 20, `${flood.waiting} left of the flood`);
    assert.deepEqual([turns.maxInFlightOf({ isFruitless: true }), turns.maxInFlightOf(flood)], [1, 1_000]);
  });

  test("are as those of others again for who asks in vain no longer", async () => {
    const turns = new FairTurns(terms, () => 0);
    const flood = new Worker(turns);
    flood.add(10_000);
    const vain = Object.assign(new Worker(turns), { isFruitless: true });
    vain.add(100);
    for (let at = 0; at < 5; at++) await turn();
    assert.ok(vain.waiting >= 90, `${vain.waiting} left`);
    vain.isFruitless = false;
    turns.update(vain);
    for (let at = 0; at < 12; at++) await turn();
    assert.equal(vain.waiting, 0);
  });
});
