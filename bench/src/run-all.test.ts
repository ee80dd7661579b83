import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Bench } from "./bench.ts";
import type { Measurement } from "./measurement.ts";
import { readOptions } from "./options.ts";
import { runAll } from "./run-all.ts";

const works = (name: string): Measurement => ({ name, run: async () => [{ what: name, samples: [1] }] });
const fails: Measurement = {
  name: "fails",
  run: async () => {
    throw new Error("no luck");
  },
};

function createBench(signal: AbortSignal, lines: string[] = []): Bench {
  const sizes = readOptions([])?.sizes;
  assert.ok(sizes);
  return { sizes, signal, profileDir: undefined, say: (text) => lines.push(text) };
}

describe("all measurements", () => {
  test("give their rows in order, also when one of them fails", async () => {
    const { rows, faults } = await runAll([works("a"), fails, works("b")], createBench(AbortSignal.any([])));
    assert.deepEqual(
      rows.map(({ what }) => what),
      ["a", "b"],
    );
    assert.deepEqual(faults, ["fails was not measured: no luck"]);
  });

  test("say which one is at work", async () => {
    const lines: string[] = [];
    const talks: Measurement = {
      name: "talks",
      run: async ({ say }) => {
        say("round 1");
        return [];
      },
    };
    await runAll([works("a"), talks], createBench(AbortSignal.any([]), lines));
    assert.deepEqual(lines, ["talks (2 of 2): round 1"]);
  });

  test("end when the user has had enough", async () => {
    const { rows, faults } = await runAll([works("a")], createBench(AbortSignal.abort()));
    assert.deepEqual({ rows, faults }, { rows: [], faults: [] });
  });
});
