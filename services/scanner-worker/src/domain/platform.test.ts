import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IndexEntry } from "./index-entry.ts";
import {
  formatPlatform,
  normalisePlatform,
  parsePlatform,
  platformOfConfig,
  platformPattern,
  rankEntries,
  rankPlatform,
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

  test("the platform asked for is taken, then what runs there too, other variants only if none is named", () => {
    assert.deepEqual(rank(entries, "linux/arm64"), ["arm64", "arm"]);
    assert.deepEqual(rank(entries, "Linux/AMD64"), ["amd64"]);
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
      assert.equal(rankPlatform(parsePlatform(one), parsePlatform(other)), 0);
    });
  }

  /** By request: all that serve it, the best first (containerd, `platforms.Only`). */
  const served: [wanted: string, ...platforms: string[]][] = [
    ["linux/arm/v8", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
    ["linux/arm/v7", "linux/arm", "linux/armel", "linux/arm/5"],
    ["linux/armhf", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
    ["linux/armel", "linux/arm/6", "linux/arm/v5"],
    ["linux/amd64/v3", "linux/amd64/v3", "linux/x86_64/2", "linux/amd64", "linux/i386"],
    ["linux/amd64", "linux/amd64/v1", "linux/amd64/v4", "linux/386"],
    ["linux/arm64/v8.1", "linux/arm64/v8.1", "linux/aarch64", "linux/arm/v8", "linux/arm/v5"],
    [
      "linux/arm64/v9.1",
      ...["linux/arm64/v9.1", "linux/arm64/v9.0", "linux/arm64/v8.6", "linux/arm64/v8.5", "linux/arm64/v8"],
      "linux/arm/v7",
    ],
    ["LINUX/S390X", "linux/s390x"],
    ["linux/riscv64/rva20u64", "linux/riscv64/RVA20U64"],
    ["macOS/ARM64", "darwin/arm64/v8"],
  ];
  for (const [wanted, ...platforms] of served) {
    test(`${wanted} is served by ${platforms.join(", ")}`, () => {
      const ranks = platforms.map((own) => rankPlatform(parsePlatform(own), parsePlatform(wanted)));
      assert.ok(
        ranks.every((own, place) => own !== undefined && own > (ranks[place - 1] ?? -1)),
        String(ranks),
      );
      assert.equal(ranks[0], 0);
      assert.deepEqual(
        rank(
          platforms.toReversed().map((own) => entry(own, own)),
          wanted,
        ),
        platforms,
      );
    });
  }

  test("does not serve a request for a lower variant, or for what runs on it", () => {
    for (const [has, wants] of [
      ["linux/arm/v7", "linux/armel"],
      ["linux/arm", "linux/arm/v6"],
      ["linux/arm/v8", "linux/armhf"],
      ["linux/arm64/v9", "linux/arm64/v8"],
      ["linux/arm64/v8.7", "linux/arm64/v9.1"],
      ["linux/amd64/v3", "linux/amd64/v2"],
      ["linux/amd64/v2", "linux/amd64/v1"],
      ["linux/amd64/v2", `linux/amd64/v${"9".repeat(40)}`],
      ["linux/amd64", "linux/386"],
      ["linux/arm64", "linux/arm"],
      ["linux/riscv64", "linux/riscv64/rva20u64"],
      ["windows/amd64", "linux/amd64"],
    ] as const) {
      assert.equal(rankPlatform(parsePlatform(has), parsePlatform(wants)), undefined, `${has} ${wants}`);
    }
  });

  test("is read from a configuration, if that names one", () => {
    const read = (text: string) => platformOfConfig(new TextEncoder().encode(text));
    const platform = { os: "linux", architecture: "arm64", variant: "" };
    assert.deepEqual(read('{"os":"linux","architecture":"arm64","variant":null,"rootfs":{}}'), platform);
    const unknown = '{"os":"unknown","architecture":"unknown","rootfs":{"type":"layers","diff_ids":["sha256:1"]}}';
    for (const text of ["{}", "<html>", "null", unknown, '{"os":"linux"}', '{"os":7,"architecture":[]}']) {
      assert.equal(read(text), undefined, text);
    }
  });
});

test("a platform is written as it is read", () => {
  for (const text of ["linux/amd64", "linux/arm/v7", "linux/x86-64", "Linux/AMD64"]) {
    assert.match(text, platformPattern);
    assert.equal(formatPlatform(parsePlatform(text)), text);
  }
  assert.doesNotMatch("amd64", platformPattern);
});
