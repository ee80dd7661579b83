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

  test("with layers as they are: those of no vendor to be tried, files and a vendor's own to be left out", () => {
    const types = [
      "application/x-tar",
      "binary/octet-stream; q=1",
      "text/html",
      "application/vnd.example+json",
      "application/vnd.example",
    ];
    const manifest = parse({ config, layers: [...types.map((type) => descriptor(type)), gzipLayer] });
    assert.deepEqual(manifest.kind === "image" && manifest.layers.map(({ format }) => format), [
      "untyped",
      "untyped",
      "untyped",
      "file",
      "unknown",
      "tar+gzip",
    ]);
  });
});

describe("what the types of configuration and layers make of a manifest", () => {
  const configs = {
    "of an image": "application/vnd.oci.image.config.v1+json",
    "naming nothing": "application/octet-stream",
    "of a vendor": "application/vnd.acme.config.v1+json",
    empty: "application/vnd.oci.empty.v1+json",
    "of a build cache": "application/vnd.buildkit.cacheconfig.v0",
  };
  const layerTypes = {
    "a file system": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    nothing: "application/x-gzip",
    "a vendor's own": "application/vnd.acme.layer.v1.tar+gzip",
    "a file": "application/vnd.dev.cosign.simplesigning.v1+json",
  };
  /** By configuration: what it is with a layer of each type, and without layers. */
  const rows: [config: keyof typeof configs, ...found: string[]][] = [
    ["of an image", "image", "image", "image", "no", "image"],
    ["naming nothing", "image", "image", "image", "no", "image"],
    ["of a vendor", "PARTIAL", "PARTIAL", "no", "no", "no"],
    ["empty", "PARTIAL", "no", "no", "no", "no"],
    ["of a build cache", "no", "no", "no", "no", "no"],
  ];
  const find = (body: object) => {
    const manifest = parse({ schemaVersion: 2, ...body });
    if (manifest.kind !== "image") return "no";
    return manifest.coverageNotes?.includes("config_unknown") ? "PARTIAL" : "image";
  };

  for (const [name, ...found] of rows) {
    for (const artifactType of [undefined, "application/vnd.acme.thing"]) {
      test(`a configuration ${name}, artifactType ${artifactType}`, () => {
        const body = { artifactType, config: descriptor(configs[name]) };
        const byLayer = Object.values(layerTypes).map((type) => find({ ...body, layers: [descriptor(type)] }));
        assert.deepEqual([...byLayer, find(body)], found);
        const beside = { ...body, layers: [descriptor(layerTypes["a file"]), gzipLayer] };
        assert.equal(find(beside), found[0], "a file beside a file system");
      });
    }
  }
});

describe("what tools push is", () => {
  const empty = descriptor("application/vnd.oci.empty.v1+json", 2);
  const tar = descriptor("application/vnd.oci.image.layer.v1.tar");
  const rootfs = descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip");
  const scanned: [name: string, body: object][] = [
    ["a Docker plugin", { config: descriptor("application/vnd.docker.plugin.v1+json"), layers: [rootfs] }],
    ["a directory of ORAS", { artifactType: "application/vnd.acme.x", config: empty, layers: [gzipLayer] }],
    ["a file of an old ORAS", { config: descriptor("application/vnd.unknown.config.v1+json"), layers: [tar] }],
    [
      "an old Helm chart",
      {
        config: descriptor("application/vnd.cncf.helm.config.v1+json"),
        layers: [descriptor("application/tar+gzip")],
      },
    ],
  ];
  for (const [name, body] of scanned) {
    test(`scanned, and never FULL: ${name}`, () => {
      const manifest = parse(body);
      assert.ok(manifest.kind === "image");
      assert.deepEqual(manifest.coverageNotes, ["config_unknown"]);
    });
  }

  test("an image, though the scanner may not read its layers: EROFS, Ollama", () => {
    for (const type of ["application/vnd.erofs.layer.v1", "application/vnd.ollama.image.model"]) {
      const manifest = parse({ config, layers: [descriptor(type)] });
      assert.deepEqual(manifest.kind === "image" && manifest.layers.map(({ format }) => format), ["unknown"]);
    }
  });

  const chart = descriptor("application/vnd.cncf.helm.config.v1+json");
  const content = descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip");
  const cache = descriptor("application/vnd.buildkit.cacheconfig.v0");
  const spdx = { artifactType: "application/spdx+json" };
  const cases: [name: string, body: object, why: RegExp][] = [
    ["a chart", { config: chart, layers: [content] }, /config of type .*helm/],
    ["a build cache", { config: cache, layers: [gzipLayer] }, /^a build cache$/],
    [
      "a signature of Notation",
      { config: descriptor("application/vnd.cncf.notary.signature"), layers: [descriptor("application/cose")] },
      /notary/,
    ],
    [
      "a WebAssembly module",
      { config: descriptor("application/vnd.wasm.config.v0+json"), layers: [descriptor("application/wasm")] },
      /wasm/,
    ],
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
    ["bytes of an artifactType", { ...spdx, config: empty, layers: [descriptor("")] }, /spdx/],
  ];
  for (const [name, body, why] of cases) {
    test(`no image: ${name}`, () => {
      const manifest = parse(body);
      assert.equal(manifest.kind, "other");
      assert.equal(manifest.note, "not_an_image");
      assert.match(manifest.why, why);
    });
  }
});
