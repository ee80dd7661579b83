import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fitsGlob, isGlob } from "./repository-glob.ts";

describe("a glob of repositories", () => {
  const cases: [glob: string, repository: string, fits: boolean][] = [
    ["", "library/web", true],
    ["library/web", "library/web", true],
    ["library/web", "library/web2", false],
    ["library/*", "library/web", true],
    ["library/*", "library/web/api", false],
    ["library/**", "library/web/api", true],
    ["**/web", "library/web", true],
    ["*/web", "a/b/web", false],
    ["**", "library/web", true],
    ["*", "web", true],
    ["*", "library/web", false],
    ["lib*y/w?b", "library/web", true],
    ["library/w?", "library/w/", false],
    ["library.web", "library/web", false],
    ["**web**", "a/website/b", true],
  ];
  for (const [glob, repository, fits] of cases) {
    test(`${JSON.stringify(glob)} ${fits ? "fits" : "does not fit"} ${repository}`, () => {
      assert.equal(fitsGlob(glob, repository), fits);
    });
  }

  test("fits what the same regular expression does", () => {
    const regular: Readonly<Record<string, string>> = { "**": ".*", "*": "[^/]*", "?": "[^/]" };
    for (const glob of textsOf("a/*?", 4).filter((each) => each !== "")) {
      const pattern = new RegExp(`^${glob.replace(/\*\*|[*?]/g, (part) => regular[part] ?? part)}$`);
      for (const name of textsOf("ab/", 4)) assert.equal(fitsGlob(glob, name), pattern.test(name), `${glob} ${name}`);
    }
  });

  test("of many stars takes no time that grows beyond both lengths", () => {
    const startedAt = performance.now();
    assert.equal(fitsGlob(`${"*a".repeat(100)}b`, "a".repeat(255)), false);
    assert.equal(fitsGlob(`${"**a".repeat(85)}b`, "a".repeat(255)), false);
    assert.ok(performance.now() - startedAt < 200);
  });

  test("is told from a name by its stars and question marks", () => {
    assert.deepEqual([isGlob("library/web"), isGlob("library/*"), isGlob("w?b")], [false, true, true]);
  });
});

/** All texts of the characters, up to the length. */
function textsOf(characters: string, length: number): string[] {
  if (length === 0) return [""];
  const shorter = textsOf(characters, length - 1);
  return [...new Set(["", ...shorter.flatMap((text) => Array.from(characters, (each) => text + each))])];
}
