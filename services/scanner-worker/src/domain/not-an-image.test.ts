import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Manifest, parseManifest, withConfig } from "./image-manifest.ts";

const oci = "application/vnd.oci.image.manifest.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const descriptor = (mediaType: string, size = 10) => ({ mediaType, digest: `sha256:${"b".repeat(64)}`, size });
const config = descriptor("application/vnd.oci.image.config.v1+json");
const gzipLayer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", 500);

function parse(body: unknown, contentType = oci) {
  const digest = `sha256:${"a".repeat(64)}`;
  return parseManifest({ digest, contentType, body: new TextEncoder().encode(JSON.stringify(body)) });
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const rootfs = { type: "layers", diff_ids: [`sha256:${"d".repeat(64)}`] };
/** Configurations by what they belong to. */
const contents = {
  image: { os: "linux", architecture: "amd64", config: {}, rootfs },
  "an image without a platform": { config: {}, rootfs },
  "an image without layers": { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: null } },
  "an attestation of BuildKit": { os: "unknown", architecture: "unknown", config: {}, rootfs },
  "a signature of cosign": { os: "", architecture: "", config: {}, rootfs },
  "a WebAssembly module": { os: "wasip1", architecture: "wasm", layerDigests: [] },
  chart: { name: "web", version: "1.0.0", apiVersion: "v2" },
  "a build cache": { layers: [{ blob: "sha256:1" }], records: [] },
  empty: {},
  "an empty list": [],
};

/** What the manifest is when its configuration has that content. */
function settle(body: object, content: unknown, contentType?: string): Manifest {
  const manifest = parse(body, contentType);
  return manifest.kind === "image" ? withConfig(manifest, encode(content)) : manifest;
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
    ["of an image", "image", "image", "image", "image in doubt", "image"],
    ["naming nothing", "image", "image", "image", "image in doubt", "image"],
    ["of a vendor", "PARTIAL", ...Array(4).fill("PARTIAL in doubt")],
    ["empty", "PARTIAL", ...Array(4).fill("PARTIAL in doubt")],
    ["of a build cache", ...Array(5).fill("PARTIAL in doubt")],
  ];
  const find = (body: object) => {
    const manifest = parse({ schemaVersion: 2, ...body });
    assert.ok(manifest.kind === "image");
    const kind = manifest.coverageNotes?.includes("config_unknown") ? "PARTIAL" : "image";
    return manifest.doubt === undefined ? kind : `${kind} in doubt`;
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

describe("what its types leave in doubt, its configuration decides", () => {
  const image = "application/vnd.oci.image.config.v1+json";
  const misspelt = "application/vnd.oci.image.config+json";
  const empty = "application/vnd.oci.empty.v1+json";
  const cache = "application/vnd.buildkit.cacheconfig.v0";
  const files = [
    "application/vnd.acme+json",
    "application/vnd.in-toto+json",
    "application/wasm",
    "application/x+json",
    empty,
  ];
  const doubtful: [config: string, layers: readonly string[]][] = [
    [empty, ["application/octet-stream"]],
    [empty, [""]],
    [empty, []],
    [misspelt, ["application/vnd.oci.image.layer.tar+gzip"]],
    ["application/vnd.docker.image.config.v1+json", ["application/vnd.docker.image.rootfs.diff.tar+gzip"]],
    ["application/vnd.cncf.helm.config.v1+json", ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"]],
    [misspelt, ["application/vnd.acme.layer"]],
    [cache, [gzipLayer.mediaType]],
    [cache, []],
  ];
  const kindOf = ([config, layers]: (typeof doubtful)[number], content: unknown) => {
    const body = { config: descriptor(config), layers: layers.map((type) => descriptor(type)) };
    return settle(body, content).kind;
  };

  for (const types of doubtful) {
    test(`configuration ${types[0]}, layers ${JSON.stringify(types[1])}`, () => {
      for (const name of ["image", "an image without a platform", "an image without layers"] as const)
        assert.equal(kindOf(types, contents[name]), "image", name);
      for (const name of ["chart", "a build cache", "empty", "an empty list"] as const)
        assert.equal(kindOf(types, contents[name]), "other", name);
    });
  }

  for (const type of files) {
    test(`layers of type ${type} alone`, () => {
      for (const config of [image, misspelt, "", empty]) {
        for (const [name, content] of Object.entries(contents)) {
          assert.equal(kindOf([config, [type, type]], content), name === "image" ? "image" : "other", name);
        }
      }
    });
  }

  test("what is no JSON is no image's configuration, and changes nothing where there is no doubt", () => {
    const html = new TextEncoder().encode("<html>");
    for (const [layers, kind] of [
      [[], "other"],
      [[gzipLayer], "image"],
    ] as const) {
      const manifest = parse({ config: descriptor(empty), layers });
      assert.equal(manifest.kind === "image" && withConfig(manifest, html).kind, kind);
    }
  });

  test("layers of misspelt types that name an archive are to be tried, others left out", () => {
    const types = ["vnd.oci.image.layer.tar+gzip", "vnd.acme.rootfs.tar.gzip", "vnd.acme.tgz", "vnd.acme.v1+tar"];
    const left = ["vnd.acme.tar+zstd", "vnd.acme.guitar", "vnd.erofs.layer.v1"];
    const layers = [...types, ...left].map((type) => descriptor(`application/${type}`));
    const manifest = settle({ config: descriptor(misspelt), layers }, contents.image);
    assert.deepEqual(manifest.kind === "image" && manifest.layers.map(({ format }) => format), [
      ...types.map(() => "untyped"),
      ...left.map(() => "unknown"),
    ]);
  });
});

describe("what tools push is", () => {
  const empty = descriptor("application/vnd.oci.empty.v1+json", 2);
  const tar = descriptor("application/vnd.oci.image.layer.v1.tar");
  const rootfs = descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip");
  const scanned: [name: string, body: object][] = [
    ["a Docker plugin", { config: descriptor("application/vnd.docker.plugin.v1+json"), layers: [rootfs] }],
    ["a directory of ORAS", { artifactType: "application/vnd.acme.x", config: empty, layers: [gzipLayer] }],
    ["a file of an old ORAS", { config: descriptor("application/vnd.unknown.config.v1+json"), layers: [tar] }],
  ];
  for (const [name, body] of scanned) {
    test(`scanned, and never FULL: ${name}`, () => {
      const manifest = settle(body, contents.empty);
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
  const toto = descriptor("application/vnd.in-toto+json");
  const cosign = descriptor("application/vnd.dev.cosign.simplesigning.v1+json");
  const wasm = descriptor("application/vnd.wasm.config.v0+json");
  const cases: [name: string, body: object, content: keyof typeof contents, why: RegExp][] = [
    ["a chart", { config: chart, layers: [content] }, "chart", /config of type .*helm/],
    ["an old Helm chart", { config: chart, layers: [descriptor("application/tar+gzip")] }, "chart", /helm/],
    ["a build cache", { config: cache, layers: [gzipLayer] }, "a build cache", /^a build cache$/],
    [
      "a signature of Notation",
      { config: descriptor("application/vnd.cncf.notary.signature"), layers: [descriptor("application/cose")] },
      ...(["empty", /notary/] as const),
    ],
    [
      "a WebAssembly module",
      { config: wasm, layers: [descriptor("application/wasm")] },
      ...(["a WebAssembly module", /wasm/] as const),
    ],
    ["an attestation", { config, layers: [toto, toto] }, "an attestation of BuildKit", /^an attestation$/],
    ["a signature", { config, layers: [cosign] }, "a signature of cosign", /without file/],
    [
      "an SBOM with a configuration of an image",
      { config, layers: [descriptor("text/spdx+json")] },
      ...(["a signature of cosign", /without file/] as const),
    ],
    ["an SBOM", { ...spdx, config: empty, layers: [descriptor("application/spdx+json")] }, "empty", /type .*spdx/],
    ["an artifact without content", { ...spdx, config: empty, layers: [empty] }, "empty", /type application.spdx/],
    ["an artifact without layers", { config: empty, layers: null }, "empty", /empty config/],
    ["bytes of an artifactType", { ...spdx, config: empty, layers: [descriptor("")] }, "empty", /spdx/],
  ];
  for (const [name, body, own, why] of cases) {
    test(`no image: ${name}`, () => {
      const manifest = settle(body, contents[own]);
      assert.equal(manifest.kind, "other");
      assert.equal(manifest.note, "not_an_image");
      assert.match(manifest.why, why);
    });
  }
});
