import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { isOurs, repositoryFiles, root } from "./tracked-files.ts";

const maxLines = 300;
const maxScriptLines = 70;

function linesOf(file: string): string[] {
  return readFileSync(join(root, file), "utf8").trimEnd().split("\n");
}

const files = repositoryFiles().filter(isOurs);
const sources = files.filter((file) => /\.(ts|mjs|js)$/.test(file));
const scripts = files.filter((file) => file.startsWith("services/job-controller/src/redis/scripts/"));

describe("sources", () => {
  test("there are sources to look at", () => {
    assert.ok(sources.length > 50, `only ${sources.length} found`);
  });

  test(`no source file is longer than ${maxLines} lines`, () => {
    const lengths = sources.map((file) => `${file}: ${linesOf(file).length}`);
    assert.deepEqual(
      lengths.filter((entry) => Number(entry.split(": ")[1]) > maxLines),
      [],
    );
  });

  test("nothing is left to do later", () => {
    const note = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`);
    const notes = files.flatMap((file) =>
      linesOf(file).flatMap((line, index) => (note.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
    assert.deepEqual(notes, []);
  });

  test("every exported thing has a name", () => {
    const unnamed = sources.filter((file) => linesOf(file).some((line) => /^export default\b/.test(line)));
    assert.deepEqual(unnamed, []);
  });

  test("no check of the compiler or the linter is silenced", () => {
    const silenced = new RegExp(["@ts-" + "(ignore|expect-error|nocheck)", "biome-" + "ignore"].join("|"));
    assert.deepEqual(
      sources.filter((file) => linesOf(file).some((line) => silenced.test(line))),
      [],
    );
  });
});

describe("Lua scripts", () => {
  test("there are scripts to look at", () => {
    assert.ok(scripts.length > 0);
  });

  for (const file of scripts) {
    const name = basename(file, ".lua");

    test(`${name} is Lua, at most ${maxScriptLines} lines long, and says first what it does`, () => {
      const lines = linesOf(file);
      assert.match(file, /\/[a-z-]+\.lua$/);
      assert.ok(lines.length <= maxScriptLines, `${lines.length} lines`);
      assert.match(lines[0] ?? "", new RegExp(`^-- ${name}: \\w`));
    });
  }
});
