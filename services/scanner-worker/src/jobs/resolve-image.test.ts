import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { ImageManifest, IndexEntry, Manifest } from "../domain/image-manifest.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { parsePlatform } from "../domain/platform.ts";
import type { ImageRegistry } from "./image-registry.ts";
import { resolveImage } from "./resolve-image.ts";

const signal = new AbortController().signal;
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const image = (digit: string): Manifest => {
  return { kind: "image", digest: digest(digit), mediaType: "", configDigest: digest(digit), layers: [] };
};
/** An image only if its configuration is an image's. */
const unsure = (digit: string): Manifest => {
  return { ...(image(digit) as ImageManifest), doubt: { why: "an artifact", hasOnlyFiles: false } };
};
const other = (digit: string): Manifest => {
  return { kind: "other", digest: digest(digit), mediaType: "", note: "not_an_image", why: "an artifact" };
};
const index = (digit: string, ...entries: IndexEntry[]): Manifest => {
  return { kind: "index", digest: digest(digit), mediaType: "", entries };
};
const entry = (digit: string, platform?: string): IndexEntry => {
  const parsed = platform === undefined ? undefined : parsePlatform(platform);
  return { digest: digest(digit), mediaType: "", isIndex: false, isDoubtful: false, platform: parsed };
};
const nested = (digit: string, platform?: string) => ({ ...entry(digit, platform), isIndex: true });
const doubtful = (digit: string, platform?: string) => ({ ...entry(digit, platform), isDoubtful: true });

function failsWith(reason: string, message = /(?:)/) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof JobFailure, String(thrown));
    assert.equal(thrown.reason, reason);
    assert.match(thrown.message, message);
    return true;
  };
}

describe("the manifest to scan", () => {
  let manifests: Manifest[];
  let asked: string[];
  let config: string | JobFailure;
  /** Those of images that have one of their own. */
  let configs: Record<string, string>;

  beforeEach(() => {
    manifests = [image("a"), image("b"), other("f")];
    asked = [];
    config = '{"os":"linux","architecture":"arm64"}';
    configs = {};
  });

  /** The registry has `first` under a tag, and it and `manifests` under their digests. */
  async function resolve(first: Manifest, platform?: string) {
    const registry: ImageRegistry = {
      url: "http://registry.example",
      getManifest: async (_repository, reference) => {
        asked.push(reference);
        const found = reference === "1.0" ? first : [first, ...manifests].find((own) => own.digest === reference);
        if (found === undefined) throw new JobFailure("MANIFEST_UNKNOWN", "no", { retryable: false });
        return found;
      },
      getConfig: async (_repository, blob) => {
        asked.push(blob);
        if (config instanceof JobFailure) throw config;
        return new TextEncoder().encode(configs[blob.slice(-1)] ?? config);
      },
      hasBlob: async () => true,
      blobUrl: () => "",
      blobHeaders: async () => ({}),
    };
    const wanted = platform === undefined ? undefined : parsePlatform(platform);
    return await resolveImage(registry, { repository: "web", reference: "1.0", platform: wanted }, signal);
  }

  describe("behind an index of indexes", () => {
    const outer = index("0", nested("1"), nested("2"));
    beforeEach(() => {
      manifests.push(index("1", entry("b", "linux/arm64")), index("2", entry("a", "linux/amd64")));
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
      manifests.push(index("3", entry("b")));
      const { manifest, platform } = await resolve(index("0", nested("3", "linux/arm64")), "linux/arm64");
      assert.deepEqual([manifest.digest, platform?.architecture], [digest("b"), "arm64"]);
    });

    test("costs no request for branches when the index itself lists it", async () => {
      await resolve(index("0", nested("1"), entry("a", "linux/amd64")));
      assert.deepEqual(asked, ["1.0", digest("a")]);
    });
  });

  test("is not there when the index has none for the platform: the message tells what it has", async () => {
    const first = index("0", entry("a", "linux/amd64"), entry("b", "linux/arm64"));
    const isRight = failsWith("PLATFORM_UNKNOWN", /linux\/amd64, linux\/arm64/);
    await assert.rejects(resolve(first, "linux/s390x"), isRight);
  });

  test("is not looked for without end", async () => {
    const all = [..."0123456789abcdef"].map((digit) => nested(digit));
    manifests = all.map(({ digest: own }) => index(own.slice(-1), ...all));
    await assert.rejects(resolve(index("0", ...all), "linux/s390x"), failsWith("PLATFORM_UNKNOWN"));
    assert.equal(asked.length, 16);
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
        manifests.push(index("1", unreadable, doubtful("f")));
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
      manifests.push(manifest);
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
      manifests.push(...many.map((own) => ({ ...other("f"), digest: own.digest })));
      const isRight = failsWith("PLATFORM_UNKNOWN", /web among the first 32 manifests.*by its digest/);
      await assert.rejects(resolve(index("e", ...many)), isRight);
      assert.equal(asked.length, 32);
      manifests.push(index("1", nested("2")), index("2", nested("3")), index("3", nested("4"), entry("f")));
      await assert.rejects(resolve(index("0", nested("1"))), isRight);
    });

    test("may be an index that the entry does not call one", async () => {
      manifests.push(index("1", entry("b", "linux/arm64")));
      assert.equal((await resolve(index("0", doubtful("1")), "linux/arm64")).manifest.digest, digest("b"));
    });
  });

  describe("whose platform only its configuration tells", () => {
    for (const [name, first] of [
      ["alone", image("a")],
      ["in an index", index("0", entry("a"))],
    ] as const) {
      test(`is held to the platform asked for, ${name}`, async () => {
        const found = await resolve(first, "linux/arm64/v8");
        assert.deepEqual([found.manifest.digest, found.platform?.architecture], [digest("a"), "arm64"]);
        await assert.rejects(resolve(first, "linux/amd64"), failsWith("PLATFORM_UNKNOWN", /it has linux\/arm64$/));
        for (const nothing of ["{}", "<html>", '{"os":"linux"}']) {
          config = nothing;
          await assert.rejects(resolve(first, "linux/arm64"), failsWith("PLATFORM_UNKNOWN", /it has none$/));
        }
      });
    }

    for (const [name, first] of [
      ["alone", image("a")],
      ["in an index", index("0", entry("a"))],
    ] as const) {
      test(`is told when no platform is asked for, ${name}`, async () => {
        assert.deepEqual((await resolve(first)).platform, { os: "linux", architecture: "arm64", variant: "" });
        for (const nothing of ["{}", "<html>", '{"os":"linux"}']) {
          config = nothing;
          const found = await resolve(first);
          assert.deepEqual([found.manifest.digest, found.platform], [digest("a"), undefined]);
        }
      });
    }

    test("is the default one when an index lists it behind others and names no platforms", async () => {
      configs = { a: '{"os":"linux","architecture":"arm64"}', b: '{"os":"linux","architecture":"amd64"}' };
      const found = await resolve(index("0", entry("a"), entry("b")));
      assert.deepEqual([found.manifest.digest, found.platform?.architecture], [digest("b"), "amd64"]);
    });

    test("is the first one's when none in the index is for the default one", async () => {
      configs = { a: '{"os":"linux","architecture":"s390x"}' };
      for (const others of [[entry("b")], [entry("b", "windows/amd64")]]) {
        const found = await resolve(index("0", entry("a"), ...others));
        assert.deepEqual([found.manifest.digest, found.platform?.architecture], [digest("a"), "s390x"]);
      }
    });

    for (const [reason, retryable] of [
      ["LAYER_MISSING", false],
      ["REGISTRY_UNREACHABLE", true],
    ] as const) {
      test(`is unknown when the configuration cannot be had (${reason}), unless a platform is asked for`, async () => {
        config = new JobFailure(reason, "no", { retryable });
        const { manifest, platform } = await resolve(image("a"));
        assert.deepEqual([manifest.digest, platform], [digest("a"), undefined]);
        await assert.rejects(resolve(image("a"), "linux/arm64"), failsWith(reason));
      });
    }

    test("decides among those of an index: another attempt may read what could not be read now", async () => {
      config = new JobFailure("REGISTRY_FAULT", "down", { retryable: true });
      await assert.rejects(resolve(index("0", entry("a"), entry("b"))), failsWith("REGISTRY_FAULT"));
      config = new JobFailure("LAYER_MISSING", "no", { retryable: false });
      assert.equal((await resolve(index("0", entry("a"), entry("b")))).manifest.digest, digest("a"));
    });
  });

  describe("whose types leave a doubt", () => {
    for (const [name, first] of [
      ["alone", unsure("c")],
      ["in an index", index("0", entry("c", "linux/arm64"))],
      ["in an index without platforms", index("0", entry("c"))],
    ] as const) {
      test(`is one by its configuration, ${name}`, async () => {
        manifests.push(unsure("c"));
        for (const platform of [undefined, "linux/arm64"]) {
          asked = [];
          assert.equal((await resolve(first, platform)).manifest.kind, "image");
          assert.equal(asked.length, first.kind === "index" ? 3 : 2, "each is fetched once");
        }
        config = "{}";
        const found = await resolve(first);
        assert.deepEqual(found.manifest, { ...other("c"), digest: digest("c") });
      });
    }

    test("is one when its configuration cannot be had: no doubt ends as no image", async () => {
      manifests.push(unsure("c"));
      for (const reason of ["LAYER_MISSING", "DIGEST_MISMATCH"] as const) {
        config = new JobFailure(reason, "no", { retryable: false });
        assert.equal((await resolve(unsure("c"))).manifest.kind, "image");
        const listed = index("0", entry("c", "linux/arm64"));
        for (const platform of [undefined, "linux/arm64"])
          assert.equal((await resolve(listed, platform)).manifest.kind, "image");
      }
      config = new JobFailure("REGISTRY_FAULT", "down", { retryable: true });
      assert.equal((await resolve(unsure("c"))).manifest.kind, "image");
    });

    test("gives way to the next one of an index", async () => {
      manifests.push(unsure("c"));
      configs = { c: "{}", a: '{"os":"linux","architecture":"amd64"}' };
      for (const listed of [
        [entry("c", "linux/amd64"), entry("a", "linux/amd64")],
        [entry("c"), entry("a")],
      ])
        assert.equal((await resolve(index("0", ...listed), "linux/amd64")).manifest.digest, digest("a"));
    });
  });

  describe("for what runs on the platform asked for", () => {
    test("is the exact one before a lower one, wherever it is listed", async () => {
      configs = {
        a: '{"os":"linux","architecture":"arm","variant":"v6"}',
        b: '{"os":"linux","architecture":"arm","variant":"v7"}',
      };
      manifests.push(index("1", entry("b", "linux/arm/v7")));
      for (const listed of [
        [entry("a", "linux/arm/v6"), entry("b", "linux/arm/v7")],
        [entry("a", "linux/arm/v6"), nested("1")],
        [entry("a"), entry("b")],
      ])
        assert.equal((await resolve(index("0", ...listed), "linux/arm/v7")).manifest.digest, digest("b"));
    });

    test("is a lower one if there is no exact one, and its platform is told", async () => {
      configs = { a: '{"os":"linux","architecture":"arm","variant":"v6"}' };
      for (const first of [image("a"), index("0", entry("a")), index("0", entry("a", "linux/arm/v6"))]) {
        for (const wanted of ["linux/arm/v7", "Linux/ARMHF", "linux/arm64", "linux/armel"])
          assert.equal((await resolve(first, wanted)).platform?.variant, "v6", wanted);
        await assert.rejects(resolve(first, "linux/arm/v5"), failsWith("PLATFORM_UNKNOWN", /it has linux.arm.v6$/));
      }
    });
  });
});
