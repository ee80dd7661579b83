import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bundleScripts } from "./bundle.ts";
import { operationNames } from "./operations.gen.ts";
import { parseScriptFile, readScriptFiles } from "./script-file.ts";

const entry = parseScriptFile("dispatch", "-- dispatch: runs.\n-- needs: a/one\nreturn one.value\n");

/** A module that needs others. */
function moduleOf(path: string, ...needs: string[]) {
  const name = path.split("/").at(-1);
  const needed = needs.length === 0 ? "" : `-- needs: ${needs.join(", ")}\n`;
  return parseScriptFile(path, `-- ${name}: a module.\n${needed}-- gives: value\nreturn { value = 1 }\n`);
}

describe("the bundle of scripts", () => {
  test("has each module behind those that it needs, whatever the order of the files", () => {
    const { lua } = bundleScripts([
      moduleOf("a/one", "b/two"),
      moduleOf("b/two", "c/three"),
      moduleOf("c/three"),
      entry,
    ]);
    const order = [...lua.matchAll(/^-- \d+ = (.+)$/gm)].map(([, path]) => path);
    assert.deepEqual(order, ["c/three", "b/two", "a/one"]);
  });

  test("is refused when a module needs what is not there", () => {
    assert.throws(
      () => bundleScripts([moduleOf("a/one", "b/gone"), entry]),
      /a\/one\.lua needs b\/gone, and there is no such file/,
    );
  });

  test("is refused when modules need each other in a circle, and says which", () => {
    const files = [moduleOf("a/one", "b/two"), moduleOf("b/two", "c/three"), moduleOf("c/three", "a/one"), entry];
    assert.throws(() => bundleScripts(files), /in a circle: a\/one → b\/two → c\/three → a\/one/);
  });

  test("is refused when something reaches into an operation", () => {
    const operation = parseScriptFile("b/act", "-- act: acts.\n-- reply: 1\nreturn function() return 1 end\n");
    assert.throws(
      () => bundleScripts([moduleOf("a/one", "b/act"), operation, entry]),
      /needs b\/act, which is no module/,
    );
  });

  test("is refused when a module is reached at times that is not there, needs it, or is an operation", () => {
    const reaching = (path: string) =>
      parseScriptFile(
        "a/one",
        `-- one: a module.\n-- needs at times: ${path}\n-- gives: value\nreturn { value = modules["${path}"].value }\n`,
      );
    assert.throws(() => bundleScripts([reaching("b/gone"), entry]), /there is no such file/);
    assert.throws(() => bundleScripts([reaching("b/two"), moduleOf("b/two", "a/one"), entry]), /in a circle/);
    const operation = parseScriptFile("b/act", "-- act: acts.\n-- reply: 1\nreturn function() return 1 end\n");
    assert.throws(() => bundleScripts([reaching("b/act"), operation, entry]), /is no module/);
  });

  test("is refused when a test wants another number for a constant that is not there", () => {
    assert.throws(
      () => bundleScripts(readScriptFiles(), { constants: { NO_SUCH: 1 } }),
      /no script has a constant NO_SUCH/,
    );
  });

  test("knows the file and line of each of its own lines", () => {
    const { lua, withFiles } = bundleScripts(readScriptFiles());
    for (const { path, text } of readScriptFiles()) {
      const [first = "", second = ""] = text.split("\n");
      const at = lua.split("\n").findIndex((line, number, all) => line === first && all[number + 1] === second);
      assert.equal(withFiles(`user_script:${at + 2}: x`), `${path}.lua:2: x`);
    }
  });

  test("knows the operations by their numbers in the list of their names", () => {
    const { lua } = bundleScripts(readScriptFiles());
    const numbers = new Map([...lua.matchAll(/^-- (\d+) = (.+)$/gm)].map(([, number, path]) => [path, Number(number)]));
    for (const [at, name] of operationNames.entries()) assert.equal(numbers.get(name), at + 1, name);
  });

  test("takes other numbers for constants when a test wants that", () => {
    const { lua } = bundleScripts(readScriptFiles(), { constants: { MOST_IN_SECTION: 3, MOST_PASSED: 4 } });
    assert.match(lua, /MOST_IN_SECTION = 3\n/);
    assert.match(lua, /MOST_PASSED = 4\n/);
  });
});

describe("the header of a script", () => {
  for (const [what, text] of Object.entries({
    "does not say what the file does": "-- needs: a/one\nreturn {}\n",
    "says neither what the module gives nor what the operation replies": "-- one: a module.\nreturn {}\n",
    "says both": "-- one: a module.\n-- gives: value\n-- reply: 1\nreturn {}\n",
    "does not say that it reaches a module at times": '-- one: a module.\n-- gives: value\nreturn modules["b/two"]\n',
    "says that it reaches a module at times and does not":
      "-- one: a module.\n-- needs at times: b/two\n-- gives: value\nreturn {}\n",
    "needs two modules of one name": "-- one: a module.\n-- needs: b/two, c/two\n-- gives: value\nreturn {}\n",
    "has a line that no header has": "-- one: a module.\n-- need: a/two\n-- gives: value\nreturn {}\n",
    "says what is not said of full memory": "-- one: acts.\n-- reply: 1\n-- when memory is full: refuse\nreturn {}\n",
  })) {
    test(`is refused when it ${what}`, () => {
      assert.throws(() => parseScriptFile("a/one", text), /a\/one\.lua/);
    });
  }

  test("may go on in the next line", () => {
    const { needs } = parseScriptFile(
      "a/one",
      "-- one: a module.\n-- needs: a/two,\n--   a/three\n-- gives: value\nreturn {}\n",
    );
    assert.deepEqual(needs, ["a/two", "a/three"]);
  });
});
