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

describe("a manifest is no image", () => {
  const cases: [name: string, body: object][] = [
    ["a chart", { config: descriptor("application/vnd.cncf.helm.config.v1+json"), layers: [gzipLayer] }],
    ["an attestation", { config, layers: [descriptor("application/vnd.in-toto+json")] }],
    ["a signature", { config, layers: [descriptor("application/vnd.dev.cosign.simplesigning.v1+json")] }],
    ["an artifact", { artifactType: "application/spdx+json", config, layers: [gzipLayer] }],
    ["without layers", { config, layers: [] }],
  ];
  for (const [name, body] of cases) {
    test(`when it is ${name}`, () => {
      const manifest = parse(body);
      assert.equal(manifest.kind, "other");
      assert.equal(manifest.kind === "other" && manifest.note, "not_an_image");
    });
  }

  test("and schema 1 is one that is not supported", () => {
    const manifest = parse({ schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+prettyjws");
    assert.equal(manifest.kind === "other" && manifest.note, "unsupported_manifest");
  });
});

describe("an index", () => {
  test("lists what may be an image and leaves out the rest", () => {
    const amd64 = { ...descriptor(oci), platform: { os: "linux", architecture: "amd64" } };
    const attestation = { ...amd64, annotations: { "vnd.docker.reference.type": "attestation-manifest" } };
    const unknown = { ...descriptor(oci), platform: { os: "unknown", architecture: "unknown" } };
    const artifact = { ...amd64, artifactType: "application/spdx+json" };
    const stranger = descriptor("application/vnd.example+json");
    const nested = descriptor(index);
    const manifest = parse({ manifests: [attestation, unknown, amd64, artifact, stranger, null, nested] }, index);
    assert.equal(manifest.kind, "index");
    assert.deepEqual(
      manifest.entries.map(({ isIndex, platform }) => [isIndex, platform]),
      [
        [false, { os: "linux", architecture: "amd64", variant: "" }],
        [true, undefined],
      ],
    );
  });

  test("without a list is refused", () => {
    assert.throws(() => parse({ schemaVersion: 2 }, index), isInvalid);
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
