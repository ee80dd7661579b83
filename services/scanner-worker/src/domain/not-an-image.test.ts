import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseManifest } from "./image-manifest.ts";

const oci = "application/vnd.oci.image.manifest.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const descriptor = (mediaType: string, size = 10) => ({ mediaType, digest: `sha256:${"b".repeat(64)}`, size });
const config = descriptor("application/vnd.oci.image.config.v1+json");
const gzipLayer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", 500);

function parse(body: unknown, contentType = oci) {
  const digest = `sha256:${"a".repeat(64)}`;
  return parseManifest({ digest, contentType, body: new TextEncoder().encode(JSON.stringify(body)) });
}

describe("a manifest is an image whatever a hint says", () => {
  const dockerLayer = descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip");
  const configOf = (mediaType: unknown) => ({ ...config, mediaType });
  for (const type of [
    "application/octet-stream",
    "text/html",
    "application/json",
    "",
    "text/plain; charset=utf-8",
    null,
  ]) {
    for (const manifestType of [docker, oci]) {
      test(`with a configuration of type ${JSON.stringify(type)} in ${manifestType}`, () => {
        const body = { schemaVersion: 2, mediaType: manifestType, config: configOf(type), layers: [dockerLayer] };
        const manifest = parse(body, manifestType);
        assert.equal(manifest.kind, "image");
        assert.equal(manifest.configDigest, config.digest);
      });
    }
  }

  const cases: [name: string, body: object][] = [
    ["an artifactType", { artifactType: "application/spdx+json", config, layers: [gzipLayer] }],
    ["an artifactType that is no text", { artifactType: 7, config, layers: [gzipLayer] }],
    ["an artifactType and a generic configuration", { artifactType: "x/y", config: configOf(""), layers: [gzipLayer] }],
    [
      "a layer that is none of a file system",
      { config, layers: [gzipLayer, descriptor("application/vnd.in-toto+json")] },
    ],
    ["layers of generic types", { config, layers: [descriptor("application/octet-stream"), descriptor("")] }],
    ["nothing but generic types", { config: configOf("text/html"), layers: [descriptor("application/x-gzip")] }],
    ["types in another case", { config: configOf(config.mediaType.toUpperCase()), layers: [gzipLayer] }],
    ["an empty list of layers", { config, layers: [] }],
    ["null for its layers", { config, layers: null }],
    ["no layers", { config }],
  ];
  for (const [name, body] of cases) {
    test(`with ${name}`, () => {
      assert.equal(parse({ schemaVersion: 2, ...body }).kind, "image");
    });
  }

  test("with layers as they are: generic ones to be tried, strange ones to be left out", () => {
    const types = ["application/x-tar", "binary/octet-stream; q=1", "application/vnd.example+json", "text/html"];
    const manifest = parse({ config, layers: [...types.map((type) => descriptor(type)), gzipLayer] });
    assert.deepEqual(manifest.kind === "image" && manifest.layers.map(({ format }) => format), [
      "untyped",
      "untyped",
      "unknown",
      "unknown",
      "tar+gzip",
    ]);
  });
});

describe("a manifest is no image", () => {
  const empty = descriptor("application/vnd.oci.empty.v1+json", 2);
  const chart = descriptor("application/vnd.cncf.helm.config.v1+json");
  const spdx = { artifactType: "application/spdx+json" };
  const cases: [name: string, body: object, why: RegExp][] = [
    ["a chart", { config: chart, layers: [gzipLayer] }, /config of type .*helm/],
    ["an attestation", { config, layers: [descriptor("application/vnd.in-toto+json")] }, /^an attestation$/],
    [
      "a signature",
      { config, layers: [descriptor("application/vnd.dev.cosign.simplesigning.v1+json")] },
      /without file/,
    ],
    ["an SBOM with a configuration of an image", { config, layers: [descriptor("text/spdx+json")] }, /without file/],
    ["an SBOM", { ...spdx, config: empty, layers: [descriptor("application/spdx+json")] }, /type application.spdx/],
    ["an artifact without content", { ...spdx, config: empty, layers: [empty] }, /type application.spdx/],
    ["an artifact without layers", { config: empty, layers: null }, /empty config/],
    ["bytes of an artifactType", { ...spdx, config: { ...empty, mediaType: "" }, layers: [descriptor("")] }, /spdx/],
  ];
  for (const [name, body, why] of cases) {
    test(`when it is ${name}`, () => {
      const manifest = parse(body);
      assert.equal(manifest.kind, "other");
      assert.equal(manifest.note, "not_an_image");
      assert.match(manifest.why, why);
    });
  }
});
