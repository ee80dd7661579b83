import assert from "node:assert/strict";
import { test } from "node:test";
import { readOsRelease } from "./os-release.ts";

test("os-release values may be bare, in single or in double quotes", () => {
  const variables = readOsRelease(
    `# a comment\nID=debian\nVERSION_ID="12"\nNAME='Debian'\nPRETTY_NAME="a \\"b\\" \\$c"\n`,
  );
  assert.deepEqual(Object.fromEntries(variables), {
    ID: "debian",
    VERSION_ID: "12",
    NAME: "Debian",
    PRETTY_NAME: 'a "b" $c',
  });
});

test("what is no assignment is skipped", () => {
  assert.equal(readOsRelease("nonsense\n\n=x\n").size, 0);
});
