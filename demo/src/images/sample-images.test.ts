import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sampleImage, sampleImages } from "./sample-images.ts";

interface ListedManifest {
  digest: string;
  size: number;
  platform?: { architecture: string };
}

describe("the sample images", () => {
  const images = sampleImages();

  test("have the same digests each time they are built", () => {
    assert.deepEqual(
      sampleImages().map(({ digest }) => digest),
      images.map(({ digest }) => digest),
    );
  });

  test("have names of their own", () => {
    const names = images.map(({ repository, tag }) => `${repository}:${tag}`);
    assert.deepEqual([...new Set(names)], names);
    assert.equal(sampleImage("library/web:1.0").blobs.length, 4);
    assert.throws(() => sampleImage("library/none:1"), /no sample image/);
  });

  test("name every blob they consist of, with its size", () => {
    for (const { manifest, blobs } of images.flatMap((image) => (image.listed.length > 0 ? image.listed : [image]))) {
      const { config, layers } = JSON.parse(manifest.toString());
      const descriptors = [config, ...layers].map(({ digest, size }) => ({ digest, size }));
      assert.deepEqual(
        descriptors,
        blobs.map(({ digest, bytes }) => ({ digest, size: bytes.length })),
      );
    }
  });

  test("list every image of an index by its digest and size, with its platform or without", () => {
    for (const [name, platforms] of [
      ["library/multi:1.0", ["arm64", "amd64"]],
      ["library/multi-bare:1.0", [undefined, undefined]],
    ] as const) {
      const { manifest, listed } = sampleImage(name);
      const { manifests } = JSON.parse(manifest.toString()) as { manifests: ListedManifest[] };
      assert.deepEqual(
        manifests.map(({ digest, size, platform }) => [digest, size, platform?.architecture]),
        listed.map((image, place) => [image.tag, image.manifest.length, platforms[place]]),
      );
    }
  });

  test("are of all kinds of manifest", () => {
    const types = new Set(images.map(({ mediaType }) => mediaType));
    assert.deepEqual([...types].sort(), [
      "application/vnd.docker.distribution.manifest.list.v2+json",
      "application/vnd.docker.distribution.manifest.v2+json",
      "application/vnd.oci.image.index.v1+json",
      "application/vnd.oci.image.manifest.v1+json",
    ]);
  });

  test("web stands on the base of debian", () => {
    assert.equal(sampleImage("library/web:1.0").blobs[1]?.digest, sampleImage("library/debian:12").blobs[1]?.digest);
  });
});
