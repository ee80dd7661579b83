import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Manifest } from "../domain/image-manifest.ts";
import { formatPlatform, parsePlatform } from "../domain/platform.ts";
import { resolvePlatforms } from "./resolve-platforms.ts";
import { digest, doubtful, entry, FakeRegistry, failsWith, image, index, nested, other, unsure } from "./test-kit.ts";

describe("the images of several platforms", () => {
  let registry: FakeRegistry;
  beforeEach(() => {
    registry = new FakeRegistry();
  });

  async function resolve(first: Manifest, platforms: string[] | "all") {
    registry.manifests.unshift(first);
    const selector = { repository: "web", reference: first.digest };
    const wanted = platforms === "all" ? platforms : platforms.map(parsePlatform);
    const found = await resolvePlatforms(registry, { ...selector, platforms: wanted }, new AbortController().signal);
    return {
      images: found.images.map(({ manifest, platform, indexDigest }) => {
        return [manifest.digest.at(-1), platform && formatPlatform(platform), indexDigest.at(-1) ?? ""];
      }),
      skipped: found.skipped.map(({ name, why }) => `${name.slice(-1)}: ${why}`),
    };
  }

  test("are all of an index, each digest once, with the index's own digest", async () => {
    const top = index("9", entry("a", "linux/amd64"), entry("b", "linux/arm64"), entry("a", "linux/386"));
    assert.deepEqual(await resolve(top, "all"), {
      images: [
        ["a", "linux/amd64", "9"],
        ["b", "linux/arm64", "9"],
      ],
      skipped: [],
    });
    assert.deepEqual(registry.asked, [digest("9"), digest("a"), digest("b")]);
  });

  test("leave out attestations, after a look at what they are, and say why", async () => {
    const top = index("9", entry("a", "linux/amd64"), doubtful("f"));
    const { images, skipped } = await resolve(top, "all");
    assert.deepEqual([images.length, skipped], [1, ["f: an artifact"]]);
    assert.ok(registry.asked.includes(digest("f")));
  });

  test("include an image that a hint calls something else", async () => {
    registry.manifests.push(unsure("e"));
    const { images } = await resolve(index("9", entry("a", "linux/amd64"), doubtful("e")), "all");
    assert.deepEqual(images[1], ["e", "linux/arm64", "9"]);
  });

  test("include those of nested indexes, and tell of entries that cannot be looked at", async () => {
    registry.manifests.push(index("8", entry("b")), other("7"));
    const lost = entry("0", "linux/s390x");
    const { images, skipped } = await resolve(index("9", nested("8", "linux/arm64"), lost, entry("7")), "all");
    assert.deepEqual(images, [["b", "linux/arm64", "9"]]);
    assert.deepEqual(skipped, ["0: the registry does not have it", "7: an artifact"]);
  });

  test("are those of a list, and what is not there is told", async () => {
    const top = index("9", entry("a", "linux/amd64"), entry("b", "linux/arm64"));
    assert.deepEqual(await resolve(top, ["linux/arm64", "linux/s390x", "linux/aarch64"]), {
      images: [["b", "linux/arm64", "9"]],
      skipped: ["x: there is no image for linux/s390x"],
    });
    assert.equal(registry.asked.filter((asked) => asked === digest("9")).length, 1);
  });

  test("are the one image where there is no index", async () => {
    assert.deepEqual(await resolve(image("c"), "all"), { images: [["c", "linux/arm64", ""]], skipped: [] });
    const { images } = await resolve(image("d"), ["linux/amd64", "linux/arm64"]);
    assert.deepEqual(images, [["d", "linux/arm64", ""]]);
  });

  test("fail when none of the list is there", async () => {
    const top = index("9", entry("a", "linux/amd64"));
    await assert.rejects(resolve(top, ["linux/s390x", "linux/arm64"]), failsWith("PLATFORM_UNKNOWN", /s390x/));
  });

  test("come to what a scan without platforms comes to when nothing is an image", async () => {
    const { images } = await resolve(index("9", doubtful("f")), "all");
    assert.equal(images[0]?.[0], "f");
    assert.equal((await resolve(index("8"), "all")).images[0]?.[0], "8");
  });

  test("are at most 64, of at most 136 manifests", async () => {
    const hex = (place: number) => `sha256:${place.toString(16).padStart(64, "0")}`;
    const places = Array.from({ length: 300 }, (_, place) => place + 1);
    registry.manifests.push(...places.map((place) => ({ ...image("a"), digest: hex(place) })));
    const entries = places.map((place) => ({ ...entry("a", "linux/amd64"), digest: hex(place) }));
    const { images, skipped } = await resolve(index("9", ...entries), "all");
    assert.deepEqual([images.length, skipped.length], [64, 236]);
    assert.equal(registry.asked.length, 65);
  });
});
