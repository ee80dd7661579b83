import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Bench } from "./bench.ts";
import { readOptions } from "./options.ts";
import { alternate } from "./rounds.ts";

function createBench(rounds: number, signal = new AbortController().signal): Bench {
  const sizes = readOptions(["--rounds", String(rounds)])?.sizes;
  assert.ok(sizes);
  return { sizes, signal, profileDir: undefined, say: () => {} };
}

const contenders = [{ name: "a" }, { name: "b" }];

describe("rounds", () => {
  test("take turns, and the one who is first changes", async () => {
    const order: string[] = [];
    const once = async ({ name }: { name: string }) => {
      order.push(name);
      return { time: 1 };
    };
    await alternate(createBench(3), { contenders, once, warmUp: false });
    assert.equal(order.join(""), "abbaab");
  });

  test("keep every figure but those of the warm-up", async () => {
    let time = 0;
    const once = async () => ({ time: time++, count: 7 });
    const rounds = await alternate(createBench(2), { contenders, once });
    assert.deepEqual(rounds.of("a", "time"), [2, 5]);
    assert.deepEqual(rounds.of("b", "time"), [3, 4]);
    assert.deepEqual(rounds.of("b", "count"), [7, 7]);
  });

  test("end when they are told to", async () => {
    const stop = new AbortController();
    const once = async () => {
      stop.abort(new Error("enough"));
      return { time: 1 };
    };
    await assert.rejects(alternate(createBench(3, stop.signal), { contenders, once }), /enough/);
  });
});
