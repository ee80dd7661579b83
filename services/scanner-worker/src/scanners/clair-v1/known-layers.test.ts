import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KnownLayers } from "./known-layers.ts";

const signal = new AbortController().signal;

function gate() {
  let open: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
}

describe("a layer that several scans want indexed", () => {
  test("is indexed once", async () => {
    const layers = new KnownLayers();
    const { passed, open } = gate();
    let runs = 0;
    const index = async () => {
      runs += 1;
      await passed;
    };
    const scans = [layers.once("a", index, signal), layers.once("a", index, signal)];
    open();
    await Promise.all(scans);
    await layers.once("a", index, signal);
    assert.equal(runs, 1);
  });

  test("is tried by the next one when the first fails", async () => {
    const layers = new KnownLayers();
    const { passed, fail } = gate();
    const first = layers.once("a", () => passed, signal);
    let second = 0;
    const other = layers.once(
      "a",
      async () => {
        second += 1;
      },
      signal,
    );
    fail(new Error("no"));
    await assert.rejects(first, /no/);
    await other;
    assert.equal(second, 1);
    assert.ok(layers.has("a"));
  });

  test("does not keep a stopped scan waiting", async () => {
    const layers = new KnownLayers();
    const { passed, open } = gate();
    const first = layers.once("a", () => passed, signal);
    const stopped = new AbortController();
    const other = layers.once("a", () => passed, stopped.signal);
    stopped.abort(new Error("stopped"));
    await assert.rejects(other, /stopped/);
    open();
    await first;
  });

  test("is indexed again once it is forgotten", async () => {
    const layers = new KnownLayers();
    layers.add("a");
    layers.forget("a");
    assert.equal(layers.has("a"), false);
  });
});
