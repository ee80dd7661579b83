import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readOptions } from "./options.ts";

describe("the command line", () => {
  test("measures everything in five rounds when it says nothing", () => {
    const options = readOptions([]);
    assert.equal(options?.sizes.rounds, 5);
    assert.equal(options?.only, undefined);
    assert.equal(options?.sizes.depths.at(-1), 1_000_000);
  });

  test("can be quick and choosy", () => {
    const options = readOptions(["--quick", "--rounds", "1", "--only", "drain,idle"]);
    assert.equal(options?.sizes.rounds, 1);
    assert.equal(options?.sizes.depths.at(-1), 50_000);
    assert.equal(options?.sizes.peerCrash, false);
    assert.deepEqual(options?.only, ["drain", "idle"]);
  });

  test("can ask for help", () => {
    assert.equal(readOptions(["--help"]), undefined);
  });

  test("is refused when it makes no sense", () => {
    assert.throws(() => readOptions(["--rounds", "0"]), /1 to 100/);
    assert.throws(() => readOptions(["--rounds", "many"]), /1 to 100/);
    assert.throws(() => readOptions(["--fast"]), /--fast/);
  });
});
