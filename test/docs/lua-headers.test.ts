import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { transitions } from "@drydock/job-controller/domain/job-state.ts";
import { sharedParts, transitionNames } from "@drydock/job-controller/redis/script.ts";

const folder = new URL("../../services/job-controller/src/redis/scripts/", import.meta.url);
const read = (name: string) => readFileSync(new URL(`${name}.lua`, folder), "utf8");

describe("the Lua scripts", () => {
  test("are all of them joined, and each is there", () => {
    const files = readdirSync(folder).map((file) => file.replace(/\.lua$/, ""));
    assert.deepEqual(files.sort(), [...sharedParts, "dispatch", ...transitionNames].sort());
  });

  for (const name of transitionNames) {
    test(`${name} begins with what it does, its arguments and its reply, and takes the arguments it names`, () => {
      const text = read(name);
      assert.match(text, new RegExp(`^-- ${name}: .+\\.\n`));
      assert.match(text, /^-- arguments: .+/m);
      assert.match(text, /^-- reply: .+/m);
      const assigned = [`transitions.${name} =`, `transitions["${name}"] =`].some((start) => text.includes(start));
      assert.ok(assigned, "the transition has the name of its file");
    });

    test(`${name} names every error with which it refuses`, () => {
      const header = read(name)
        .split("\n")
        .filter((line) => line.startsWith("--"))
        .join("\n");
      for (const [, reason = ""] of read(name).matchAll(/refuse\("([A-Z_]+)"/g))
        assert.ok(header.includes(reason), reason);
    });
  }

  test("read the arguments only through dispatch", () => {
    for (const name of transitionNames) assert.doesNotMatch(read(name), /\bARGV\b|\bKEYS\b/, name);
  });

  test("do what the table of a job's life says that they do", () => {
    for (const { script } of transitions)
      assert.ok(
        transitionNames.some((name) => name === script),
        script,
      );
  });
});
