import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IndexEntry } from "./image-manifest.ts";
import {
  formatPlatform,
  normalisePlatform,
  parsePlatform,
  platformOfConfig,
  platformPattern,
  rankEntries,
  servesPlatform,
} from "./platform.ts";

const entry = (digest: string, platform?: string, isDoubtful = false): IndexEntry => {
  const parsed = platform === undefined ? undefined : parsePlatform(platform);
  return { digest, mediaType: "", isIndex: false, isDoubtful, platform: parsed };
};
const rank = (entries: IndexEntry[], wanted?: string) =>
  rankEntries(entries, wanted === undefined ? undefined : parsePlatform(wanted)).map(({ digest }) => digest);

describe("of an index", () => {
  const entries = [
    entry("windows", "windows/amd64"),
    entry("arm", "linux/arm/v7"),
    entry("arm64", "linux/arm64/v8"),
    entry("amd64", "linux/amd64"),
  ];

  test("linux/amd64 is taken when nobody asks for another, then what is for linux", () => {
    assert.deepEqual(rank(entries), ["amd64", "arm", "arm64", "windows"]);
    assert.deepEqual(rank([entry("none"), ...entries.slice(0, 1)]), ["none", "windows"]);
  });

  test("the platform asked for is taken, its variant only if named", () => {
    assert.deepEqual(rank(entries, "linux/arm64"), ["arm64"]);
    assert.deepEqual(rank(entries, "linux/arm/v7"), ["arm"]);
    assert.deepEqual(rank(entries, "linux/arm/v6"), []);
    assert.deepEqual(rank(entries, "linux/s390x"), []);
    assert.deepEqual(rank([entry("v6", "linux/arm/v6"), ...entries], "linux/arm"), ["arm", "v6"]);
  });

  test("what does not say its platform comes after what does, and the doubtful after the sure", () => {
    const some = [entry("none"), entry("doubtful", "linux/amd64", true), entry("v2", "linux/amd64/v2"), ...entries];
    assert.deepEqual(rank(some, "linux/amd64"), ["amd64", "doubtful", "v2", "none"]);
  });
});

describe("a platform", () => {
  const same: [one: string, other: string][] = [
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/x86-64", "linux/amd64"],
    ["Linux/AMD64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/i386", "linux/386"],
    ["macos/arm64", "darwin/arm64"],
    ["linux/s390x", "linux/s390x"],
    ["linux/constructor", "linux/constructor"],
  ];
  for (const [one, other] of same) {
    test(`${one} is ${other}`, () => {
      assert.deepEqual(normalisePlatform(parsePlatform(one)), normalisePlatform(parsePlatform(other)));
      assert.ok(servesPlatform(parsePlatform(one), parsePlatform(other)));
    });
  }

  test("with another variant is another one", () => {
    for (const [has, wants] of [
      ["linux/arm64/v9", "linux/arm64/v8"],
      ["linux/amd64", "linux/amd64/v3"],
      ["linux/arm64", "linux/arm"],
      ["windows/amd64", "linux/amd64"],
    ] as const) {
      assert.equal(servesPlatform(parsePlatform(has), parsePlatform(wants)), false, `${has} ${wants}`);
    }
  });

  test("is read from a configuration, if that names one", () => {
    const read = (text: string) => platformOfConfig(new TextEncoder().encode(text));
    const platform = { os: "linux", architecture: "arm64", variant: "" };
    assert.deepEqual(read('{"os":"linux","architecture":"arm64","variant":null,"rootfs":{}}'), platform);
    for (const text of ["{}", "<html>", "null", '{"os":"linux"}', '{"os":7,"architecture":[]}']) {
      assert.equal(read(text), undefined, text);
    }
  });
});

test("a platform is written as it is read", () => {
  for (const text of ["linux/amd64", "linux/arm/v7", "linux/x86-64"]) {
    assert.match(text, platformPattern);
    assert.equal(formatPlatform(parsePlatform(text)), text);
  }
  assert.doesNotMatch("amd64", platformPattern);
});
