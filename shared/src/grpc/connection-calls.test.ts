import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FairTurns } from "../fair-turns.ts";
import { ConnectionCalls, type OpenCall } from "./connection-calls.ts";

const terms = { perTurn: 20, share: 5, inFlight: 40, inFlightAlone: 40, leastInFlight: 4 };

/** A connection that opens calls, and notes those that are begun. */
function connect(turns: FairTurns) {
  const calls = new ConnectionCalls(turns);
  const begun: OpenCall[] = [];
  const open = (count: number, isUnary = true) =>
    Array.from({ length: count }, () => {
      const call: OpenCall = { isUnary, begin: () => begun.push(call) };
      calls.open(call);
      return call;
    });
  return { calls, begun, open };
}

async function turnOften(count = 20): Promise<void> {
  for (let at = 0; at < count; at++) await turn();
}

describe("the calls of a connection", () => {
  test("are begun at once, and others' are begun behind a share of a flood's", async () => {
    const turns = new FairTurns(terms);
    const [flood, other] = [connect(turns), connect(turns)];
    flood.open(30);
    assert.equal(flood.begun.length, 20, "as many as a turn takes");
    other.open(1);
    assert.equal(other.begun.length, 0);
    await turn();
    assert.equal(other.begun.length, 1);
  });

  test("are under way up to what there is for all, the rest in their order as those are answered", async () => {
    const { calls, begun, open } = connect(new FairTurns(terms));
    const opened = open(60);
    await turnOften();
    assert.equal(begun.length, 40);
    for (const call of opened.slice(0, 15)) calls.end(call);
    await turnOften();
    assert.deepEqual(begun, opened.slice(0, 55));
  });

  test("are not begun when they are over before it is their turn", async () => {
    const { calls, begun, open } = connect(new FairTurns(terms));
    const opened = open(50);
    await turnOften();
    for (const call of opened.slice(40)) calls.end(call);
    for (const call of opened.slice(0, 40)) calls.end(call);
    await turnOften();
    assert.deepEqual([begun.length, calls.isBusy], [40, false]);
  });

  test("that are streams hold up none, and count for none when they are begun", async () => {
    const turns = new FairTurns(terms);
    for (let at = 0; at < 30; at++) connect(turns).open(10, false);
    await turnOften();
    const last = connect(turns);
    last.open(60);
    await turnOften(40);
    assert.equal(last.begun.length, 40, "all that there is, as nobody else is busy");
  });

  test("wait for each other when they are answered that nothing is there, until one is not", async () => {
    const turns = new FairTurns(terms);
    const { calls, begun, open } = connect(turns);
    const inFlight = () => begun.filter((call) => !ended.has(call));
    const ended = new Set<OpenCall>();
    const answer = (isInVain: boolean) => {
      for (const call of inFlight()) {
        ended.add(call);
        calls.answered(call, isInVain);
      }
    };
    open(200);
    await turnOften();
    // some are begun until it is known of 32
    for (let at = 0; at < 2; at++) {
      answer(true);
      await turnOften();
    }
    assert.equal(inFlight().length, 1);
    answer(false);
    await turnOften();
    assert.equal(inFlight().length, 40);
  });

  test("that are streams wait for others too, when the last 32 were refused", async () => {
    const turns = new FairTurns(terms);
    const [{ calls, begun, open }, other] = [connect(turns), connect(turns)];
    for (const call of open(40, false)) calls.answered(call, true);
    await turnOften();
    const before = begun.length;
    open(20, false);
    other.open(20, false);
    await turnOften(5);
    assert.equal(other.begun.length, 20);
    assert.ok(begun.length - before <= 6, `${begun.length - before} begun`);
  });
});
