import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Manifest } from "../domain/image-manifest.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { digest, entry, FakeRegistry, failsWith, image, index, nested, other, unsure } from "./test-kit.ts";

describe("the image to scan", () => {
  let registry: FakeRegistry;
  const resolve = (first: Manifest, platform?: string) => registry.resolve(first, platform);

  beforeEach(() => {
    registry = new FakeRegistry();
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
          registry.config = nothing;
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
          registry.config = nothing;
          const found = await resolve(first);
          assert.deepEqual([found.manifest.digest, found.platform], [digest("a"), undefined]);
        }
      });
    }

    test("is the default one when an index lists it behind others and names no platforms", async () => {
      registry.configs = { a: '{"os":"linux","architecture":"arm64"}', b: '{"os":"linux","architecture":"amd64"}' };
      const found = await resolve(index("0", entry("a"), entry("b")));
      assert.deepEqual([found.manifest.digest, found.platform?.architecture], [digest("b"), "amd64"]);
    });

    test("is the first one's when none in the index is for the default one", async () => {
      registry.configs = { a: '{"os":"linux","architecture":"s390x"}' };
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
        registry.config = new JobFailure(reason, "no", { retryable });
        const { manifest, platform } = await resolve(image("a"));
        assert.deepEqual([manifest.digest, platform], [digest("a"), undefined]);
        await assert.rejects(resolve(image("a"), "linux/arm64"), failsWith(reason));
      });
    }

    test("decides among those of an index: another attempt may read what could not be read now", async () => {
      registry.config = new JobFailure("REGISTRY_FAULT", "down", { retryable: true });
      await assert.rejects(resolve(index("0", entry("a"), entry("b"))), failsWith("REGISTRY_FAULT"));
      registry.config = new JobFailure("LAYER_MISSING", "no", { retryable: false });
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
        registry.manifests.push(unsure("c"));
        for (const platform of [undefined, "linux/arm64"]) {
          registry.asked = [];
          assert.equal((await resolve(first, platform)).manifest.kind, "image");
          assert.equal(registry.asked.length, first.kind === "index" ? 3 : 2, "each is fetched once");
        }
        registry.config = "{}";
        const found = await resolve(first);
        assert.deepEqual(found.manifest, { ...other("c"), digest: digest("c") });
      });
    }

    test("is one when its configuration cannot be had: no doubt ends as no image", async () => {
      registry.manifests.push(unsure("c"));
      for (const reason of ["LAYER_MISSING", "DIGEST_MISMATCH"] as const) {
        registry.config = new JobFailure(reason, "no", { retryable: false });
        assert.equal((await resolve(unsure("c"))).manifest.kind, "image");
        const listed = index("0", entry("c", "linux/arm64"));
        for (const platform of [undefined, "linux/arm64"])
          assert.equal((await resolve(listed, platform)).manifest.kind, "image");
      }
      registry.config = new JobFailure("REGISTRY_FAULT", "down", { retryable: true });
      assert.equal((await resolve(unsure("c"))).manifest.kind, "image");
    });

    test("comes after sure ones of its platform when its configuration cannot be had", async () => {
      registry.manifests.push(unsure("c"));
      registry.config = new JobFailure("LAYER_MISSING", "no", { retryable: false });
      const both = index("0", entry("c", "linux/amd64"), entry("a", "linux/amd64"));
      for (const platform of [undefined, "linux/amd64"])
        assert.equal((await resolve(both, platform)).manifest.digest, digest("a"));
      const others = index("0", entry("c", "linux/amd64"), entry("b", "linux/arm64"));
      assert.equal((await resolve(others)).manifest.digest, digest("c"));
    });

    test("gives way to the next one of an index", async () => {
      registry.manifests.push(unsure("c"));
      registry.configs = { c: "{}", a: '{"os":"linux","architecture":"amd64"}' };
      for (const listed of [
        [entry("c", "linux/amd64"), entry("a", "linux/amd64")],
        [entry("c"), entry("a")],
      ])
        assert.equal((await resolve(index("0", ...listed), "linux/amd64")).manifest.digest, digest("a"));
    });
  });

  describe("for what runs on the platform asked for", () => {
    test("is the exact one before a lower one, wherever it is listed", async () => {
      registry.configs = {
        a: '{"os":"linux","architecture":"arm","variant":"v6"}',
        b: '{"os":"linux","architecture":"arm","variant":"v7"}',
      };
      registry.manifests.push(index("1", entry("b", "linux/arm/v7")));
      for (const listed of [
        [entry("a", "linux/arm/v6"), entry("b", "linux/arm/v7")],
        [entry("a", "linux/arm/v6"), nested("1")],
        [entry("a"), entry("b")],
      ])
        assert.equal((await resolve(index("0", ...listed), "linux/arm/v7")).manifest.digest, digest("b"));
    });

    test("is a lower one if there is no exact one, and its platform is told", async () => {
      registry.configs = { a: '{"os":"linux","architecture":"arm","variant":"v6"}' };
      for (const first of [image("a"), index("0", entry("a")), index("0", entry("a", "linux/arm/v6"))]) {
        for (const wanted of ["linux/arm/v7", "Linux/ARMHF", "linux/arm64", "linux/armel"])
          assert.equal((await resolve(first, wanted)).platform?.variant, "v6", wanted);
        await assert.rejects(resolve(first, "linux/arm/v5"), failsWith("PLATFORM_UNKNOWN", /it has linux.arm.v6$/));
      }
    });
  });
});
