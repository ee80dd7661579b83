import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Manifest } from "../domain/image-manifest.ts";
import { digest, doubtful, entry, FakeRegistry, failsWith, index, nested, other } from "./test-kit.ts";

describe("the manifest to scan", () => {
  let registry: FakeRegistry;
  const resolve = (first: Manifest, platform?: string) => registry.resolve(first, platform);

  beforeEach(() => {
    registry = new FakeRegistry();
  });

  describe("behind an index of indexes", () => {
    const outer = index("0", nested("1"), nested("2"));
    beforeEach(() => {
      registry.manifests.push(index("1", entry("b", "linux/arm64")), index("2", entry("a", "linux/amd64")));
    });

    for (const [platform, found] of [
      ["linux/amd64", "a"],
      [undefined, "a"],
      ["linux/arm64/v8", "b"],
      ["linux/aarch64", "b"],
    ] as const) {
      test(`is found in whatever branch it is: ${platform ?? "no platform asked for"}`, async () => {
        const { manifest, indexDigest } = await resolve(outer, platform);
        assert.deepEqual([manifest.digest, indexDigest], [digest(found), digest("0")]);
      });
    }

    test("is not there: the message tells what all branches have", async () => {
      const isRight = failsWith("PLATFORM_UNKNOWN", /linux\/arm64, linux\/amd64/);
      await assert.rejects(resolve(outer, "linux/s390x"), isRight);
    });

    test("is found though the outer entry names no platform, another one, or the registry lacks a branch", async () => {
      const wrong = index("0", nested("3"), nested("2", "linux/s390x"));
      assert.equal((await resolve(wrong, "linux/amd64")).manifest.digest, digest("a"));
      await assert.rejects(resolve(wrong, "linux/arm64"), failsWith("MANIFEST_UNKNOWN"));
    });

    test("has the platform of the entry above when its own says nothing", async () => {
      registry.manifests.push(index("3", entry("b")));
      const { manifest, platform } = await resolve(index("0", nested("3", "linux/arm64")), "linux/arm64");
      assert.deepEqual([manifest.digest, platform?.architecture], [digest("b"), "arm64"]);
    });

    test("costs no request for branches when the index itself lists it", async () => {
      await resolve(index("0", nested("1"), entry("a", "linux/amd64")));
      assert.deepEqual(registry.asked, ["1.0", digest("a")]);
    });
  });

  test("is not there when the index has none for the platform: the message tells what it has", async () => {
    const first = index("0", entry("a", "linux/amd64"), entry("b", "linux/arm64"));
    const isRight = failsWith("PLATFORM_UNKNOWN", /linux\/amd64, linux\/arm64/);
    await assert.rejects(resolve(first, "linux/s390x"), isRight);
  });

  test("is not looked for without end", async () => {
    const all = [..."0123456789abcdef"].map((digit) => nested(digit));
    registry.manifests = all.map(({ digest: own }) => index(own.slice(-1), ...all));
    await assert.rejects(resolve(index("0", ...all), "linux/s390x"), failsWith("PLATFORM_UNKNOWN"));
    assert.equal(registry.asked.length, 16);
    await assert.rejects(resolve(index("0", nested("0"))), failsWith("PLATFORM_UNKNOWN"));
  });

  describe("behind an index with hints", () => {
    test("is taken though a hint says that it is no image", async () => {
      assert.equal((await resolve(index("0", doubtful("a", "linux/amd64")))).manifest.kind, "image");
      assert.equal((await resolve(index("0", doubtful("a", "linux/amd64")), "linux/amd64")).manifest.kind, "image");
      assert.equal((await resolve(index("0", doubtful("a")))).manifest.kind, "image");
    });

    test("is the next one when what is listed first turns out to be no image", async () => {
      const listed = index("0", entry("f", "linux/amd64"), entry("b", "linux/arm64"));
      assert.equal((await resolve(listed)).manifest.digest, digest("b"));
      assert.equal((await resolve(listed, "linux/amd64")).manifest.kind, "other");
      await assert.rejects(resolve(index("0", doubtful("f")), "linux/amd64"), failsWith("PLATFORM_UNKNOWN"));
    });

    test("may be an image that the entry calls an index", async () => {
      assert.equal((await resolve(index("0", nested("a", "linux/amd64")))).manifest.digest, digest("a"));
      assert.equal((await resolve(index("0", nested("f"), nested("a")), "linux/arm64")).manifest.digest, digest("a"));
      assert.equal((await resolve(index("0", nested("f")))).manifest.kind, "other");
    });

    test("is no image only when all that is listed was looked at", async () => {
      const missing = entry("c", "linux/amd64");
      const unreadable = { ...entry("c"), digest: "" };
      for (const listed of [[missing], [entry("f"), missing], [missing, doubtful("f")]])
        await assert.rejects(resolve(index("0", ...listed)), failsWith("MANIFEST_UNKNOWN"));
      for (const listed of [[unreadable], [entry("f"), unreadable], [nested("1")]]) {
        registry.manifests.push(index("1", unreadable, doubtful("f")));
        await assert.rejects(
          resolve(index("0", ...listed)),
          failsWith("MANIFEST_INVALID", /web lists.* without a digest/),
        );
      }
      assert.equal((await resolve(index("0", unreadable, missing, entry("a")))).manifest.digest, digest("a"));
      assert.equal((await resolve(index("0", doubtful("f")))).manifest.kind, "other");
    });

    test("is no image only when nothing in it is of a type that nobody knows", async () => {
      const manifest: Manifest = { ...other("c"), kind: "other", note: "unsupported_manifest", why: "of a vendor" };
      registry.manifests.push(manifest);
      for (const listed of [
        [entry("f"), doubtful("c")],
        [doubtful("c"), doubtful("f")],
      ])
        assert.deepEqual((await resolve(index("0", ...listed))).manifest, manifest);
      assert.equal((await resolve(index("0", doubtful("c"), entry("a")))).manifest.digest, digest("a"));
    });

    test("is not said to be no image when the index lists too many to look at, or too deep", async () => {
      const numbered = (place: number) => `sha256:${String(place).padStart(64, "0")}`;
      const many = Array.from({ length: 40 }, (_, place) => ({ ...doubtful("f"), digest: numbered(place) }));
      registry.manifests.push(...many.map((own) => ({ ...other("f"), digest: own.digest })));
      const isRight = failsWith("PLATFORM_UNKNOWN", /web among the first 32 manifests.*by its digest/);
      await assert.rejects(resolve(index("e", ...many)), isRight);
      assert.equal(registry.asked.length, 32);
      registry.manifests.push(index("1", nested("2")), index("2", nested("3")), index("3", nested("4"), entry("f")));
      await assert.rejects(resolve(index("0", nested("1"))), isRight);
    });

    test("may be an index that the entry does not call one", async () => {
      registry.manifests.push(index("1", entry("b", "linux/arm64")));
      assert.equal((await resolve(index("0", doubtful("1")), "linux/arm64")).manifest.digest, digest("b"));
    });
  });
});
