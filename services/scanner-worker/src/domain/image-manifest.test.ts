import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseManifest } from "./image-manifest.ts";
import { JobFailure } from "./job-failure.ts";

const oci = "application/vnd.oci.image.manifest.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const index = "application/vnd.oci.image.index.v1+json";
const digest = `sha256:${"a".repeat(64)}`;
const descriptor = (mediaType: string, size = 10) => ({ mediaType, digest: `sha256:${"b".repeat(64)}`, size });
const config = descriptor("application/vnd.oci.image.config.v1+json");
const gzipLayer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", 500);

function parse(body: unknown, contentType = oci) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return parseManifest({ digest, contentType, body: new TextEncoder().encode(text) });
}

const isInvalid = (error: unknown) => error instanceof JobFailure && error.reason === "MANIFEST_INVALID";

describe("a manifest of an image", () => {
  test("tells its configuration and layers, base first", () => {
    const layers = [gzipLayer, descriptor("application/vnd.oci.image.layer.v1.tar+zstd")];
    const manifest = parse({ schemaVersion: 2, mediaType: oci, config, layers });
    assert.equal(manifest.kind, "image");
    assert.equal(manifest.digest, digest);
    assert.equal(manifest.configDigest, config.digest);
    assert.deepEqual(
      manifest.layers.map(({ format, sizeBytes }) => [format, sizeBytes]),
      [
        ["tar+gzip", 500],
        ["tar+zstd", 10],
      ],
    );
  });

  test("may be Docker's, with layers that are not in the registry", () => {
    const body = {
      config: descriptor("application/vnd.docker.container.image.v1+json"),
      layers: [
        descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip"),
      ],
    };
    const manifest = parse(body, `${docker}; charset=utf-8`);
    assert.equal(manifest.kind, "image");
    assert.equal(manifest.mediaType, docker);
    assert.deepEqual(
      manifest.layers.map(({ format }) => format),
      ["foreign", "tar+gzip"],
    );
  });

  test("is told by its mediaType, then by its shape, when the Content-Type says nothing", () => {
    assert.equal(parse({ mediaType: docker, config, layers: [gzipLayer] }, "application/json").mediaType, docker);
    assert.equal(parse({ config, layers: [gzipLayer] }, "").mediaType, oci);
    assert.equal(parse({ manifests: [] }, "text/plain").mediaType, index);
    assert.equal(parse({ schemaVersion: 1, fsLayers: [] }, "").kind, "other");
  });

  test("is refused when Content-Type and mediaType differ", () => {
    assert.throws(() => parse({ mediaType: docker, config, layers: [] }, oci), isInvalid);
  });

  test("is refused when a digest could lead out of the registry's paths", () => {
    const layer = { ...gzipLayer, digest: "sha256:../../../etc/passwd" };
    assert.throws(() => parse({ config, layers: [layer] }), isInvalid);
  });

  test("keeps encrypted layers in sight", () => {
    const layers = [descriptor("application/vnd.oci.image.layer.v1.tar+gzip+encrypted")];
    const manifest = parse({ config, layers });
    assert.equal(manifest.kind === "image" && manifest.layers[0]?.format, "encrypted");
  });
});

test("a manifest of schema 1 is one that is not supported", () => {
  const manifest = parse({ schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+prettyjws");
  assert.equal(manifest.kind === "other" && manifest.note, "unsupported_manifest");
});

describe("a body", () => {
  const image = { schemaVersion: 2, config, layers: [gzipLayer] };
  for (const type of [
    "binary/octet-stream",
    "application/octet-stream",
    "",
    "text/html",
    "multipart/mixed",
    "APPLICATION/JSON",
  ]) {
    test(`decides what it is when it was sent as ${type || "nothing"}`, () => {
      assert.deepEqual([parse(image, type).kind, parse(image, type).mediaType], ["image", oci]);
      assert.equal(parse({ ...image, mediaType: docker }, type).mediaType, docker);
      assert.equal(parse({ schemaVersion: 2, manifests: [] }, type).kind, "index");
    });
  }

  test("that names a generic type or an unknown one goes by the Content-Type and its shape", () => {
    assert.equal(parse({ ...image, mediaType: "application/json" }).mediaType, oci);
    assert.equal(parse({ ...image, mediaType: null }, `${docker} ; charset=utf-8`).mediaType, docker);
    assert.equal(parse({ ...image, mediaType: "application/vnd.example+json" }, "").kind, "image");
  });

  test("that is a manifest of another kind is none of an image", () => {
    const mediaType = "application/vnd.oci.artifact.manifest.v1+json";
    const manifest = parse({ mediaType, artifactType: "x/y", blobs: [] }, mediaType);
    assert.equal(manifest.kind === "other" && manifest.note, "not_an_image");
  });

  for (const type of [oci, docker, index, "", "application/json", "text/html", "application/vnd.example+json"]) {
    test(`that is no manifest at all is an error, sent as ${type || "nothing"}`, () => {
      const bodies = [
        "<html>",
        "",
        "null",
        "[]",
        "7",
        {},
        { errors: [{ code: "UNKNOWN" }] },
        { status: "ok" },
        { config: 1 },
      ];
      for (const body of bodies) assert.throws(() => parse(body, type), isInvalid, JSON.stringify(body));
    });
  }
});

describe("an index", () => {
  test("lists what may be an image, what is doubtful as such, and leaves out the rest", () => {
    const amd64 = { ...descriptor(oci), platform: { os: "linux", architecture: "amd64" } };
    const attestation = { ...amd64, annotations: { "vnd.docker.reference.type": "attestation-manifest" } };
    const unknown = { ...descriptor(oci), platform: { os: "unknown", architecture: "unknown" } };
    const artifact = { ...amd64, artifactType: "application/spdx+json" };
    const stranger = descriptor("application/vnd.example+json");
    const nested = descriptor(index);
    const manifest = parse(
      { manifests: [attestation, unknown, amd64, artifact, stranger, null, nested, descriptor("")] },
      index,
    );
    assert.equal(manifest.kind, "index");
    assert.deepEqual(
      manifest.entries.map(({ isIndex, isDoubtful, platform }) => [isIndex, isDoubtful, platform?.architecture]),
      [
        [false, true, undefined],
        [false, false, "amd64"],
        [false, true, "amd64"],
        [true, false, undefined],
        [false, true, undefined],
      ],
    );
  });

  test("without a list, or with null for it, lists nothing", () => {
    for (const body of [{ schemaVersion: 2 }, { schemaVersion: 2, manifests: null }, { mediaType: index }]) {
      const manifest = parse(body, index);
      assert.deepEqual(manifest.kind === "index" && manifest.entries, []);
    }
    assert.throws(() => parse({ schemaVersion: 2, manifests: {} }, index), isInvalid);
  });
});

test("whatever a registry sends, reading it ends in a manifest or in MANIFEST_INVALID", () => {
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.record(
      {
        mediaType: fc.constantFrom(oci, index, 7),
        config: fc.anything(),
        layers: fc.anything(),
        manifests: fc.anything(),
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(body, fc.constantFrom(oci, docker, index, "", "text/html"), (value, contentType) => {
      try {
        assert.ok(["image", "index", "other"].includes(parse(toText(value), contentType).kind));
      } catch (error) {
        assert.ok(isInvalid(error), String(error));
      }
    }),
  );
});

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner));
}
