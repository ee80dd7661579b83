import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ImageIndex, IndexEntry } from "./image-manifest.ts";
import { chooseEntry, formatPlatform, parsePlatform, platformPattern } from "./platform.ts";

const entry = (digest: string, platform?: string, isIndex = false): IndexEntry => {
  return { digest, mediaType: "", isIndex, platform: platform === undefined ? undefined : parsePlatform(platform) };
};
const indexOf = (...entries: IndexEntry[]): ImageIndex => ({ kind: "index", digest: "", mediaType: "", entries });

describe("of an index", () => {
  const index = indexOf(
    entry("windows", "windows/amd64"),
    entry("arm", "linux/arm/v7"),
    entry("arm64", "linux/arm64/v8"),
    entry("amd64", "linux/amd64"),
  );

  test("linux/amd64 is taken when nobody asks for another", () => {
    assert.equal(chooseEntry(index, undefined)?.digest, "amd64");
  });

  test("the first for linux is taken when there is no linux/amd64", () => {
    assert.equal(chooseEntry(indexOf(...index.entries.slice(0, 3)), undefined)?.digest, "arm");
    assert.equal(chooseEntry(indexOf(...index.entries.slice(0, 1)), undefined)?.digest, "windows");
  });

  test("the platform asked for is taken, its variant only if named", () => {
    assert.equal(chooseEntry(index, parsePlatform("linux/arm64"))?.digest, "arm64");
    assert.equal(chooseEntry(index, parsePlatform("linux/arm/v7"))?.digest, "arm");
    assert.equal(chooseEntry(index, parsePlatform("linux/arm/v6")), undefined);
    assert.equal(chooseEntry(index, parsePlatform("linux/s390x")), undefined);
  });

  test("a nested index may hold the platform asked for", () => {
    assert.equal(
      chooseEntry(indexOf(entry("nested", undefined, true)), parsePlatform("linux/s390x"))?.digest,
      "nested",
    );
  });
});

test("a platform is written as it is read", () => {
  for (const text of ["linux/amd64", "linux/arm/v7"]) {
    assert.match(text, platformPattern);
    assert.equal(formatPlatform(parsePlatform(text)), text);
  }
  assert.doesNotMatch("amd64", platformPattern);
});
