import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseManifest } from "./image-manifest.ts";
import { JobFailure } from "./job-failure.ts";

const oci = "application/vnd.oci.image.manifest.v1+json";
const docker = "application/vnd.docker.distribution.manifest.v2+json";
const index = "application/vnd.oci.image.index.v1+json";
const schema1 = ["json", "prettyjws"].map((suffix) => `application/vnd.docker.distribution.manifest.v1+${suffix}`);
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

  for (const type of [...schema1, oci, docker, index, "application/vnd.docker.distribution.manifest.list.v2+json"]) {
    test(`is one whatever types it is given: ${type}`, () => {
      const image = { schemaVersion: 2, config, layers: [gzipLayer] };
      for (const manifest of [parse(image, type), parse({ ...image, mediaType: type }, "")]) {
        assert.deepEqual([manifest.kind, manifest.mediaType], ["image", type === docker ? docker : oci]);
      }
      for (const own of [oci, docker])
        assert.equal(parse({ ...image, mediaType: own }, type).mediaType, own, "the body's goes before");
      const list = parse({ schemaVersion: 2, manifests: [descriptor(oci)] }, type);
      assert.equal(list.kind, "index", "as is an index");
    });
  }

  test("is refused when it lists layers without a valid configuration, whatever types it is given", () => {
    for (const type of [...schema1, oci, docker, index, ""]) {
      for (const more of [{}, { manifests: [] }, { mediaType: index, manifests: [] }]) {
        const body = { schemaVersion: 2, config: { digest: "x" }, layers: [gzipLayer], ...more };
        assert.throws(() => parse(body, type), isInvalid, `${type} ${JSON.stringify(more)}`);
      }
    }
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

  for (const [mediaType, note] of [
    ["application/vnd.oci.artifact.manifest.v1+json", "not_an_image"],
    ["application/vnd.example.manifest.v1+json", "unsupported_manifest"],
  ]) {
    test(`that is a manifest of type ${mediaType} has the note ${note}`, () => {
      const manifest = parse({ mediaType, artifactType: "x/y", blobs: [] }, mediaType);
      assert.equal(manifest.kind === "other" && manifest.note, note);
    });
  }

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
  test("lists all that may be an image, what a hint speaks against as doubtful", () => {
    const platform = { os: "linux", architecture: "amd64" };
    const attestation = { annotations: { "vnd.docker.reference.type": "attestation-manifest" } };
    const unknown = { os: "unknown", architecture: "unknown" };
    const vendor = descriptor("application/vnd.example+json");
    const cases: [name: string, entry: object | string, isDoubtful: boolean, architecture: string | undefined][] = [
      ["an image", { ...descriptor(oci), platform }, false, "amd64"],
      ["an index", descriptor(index), false, undefined],
      ["an artifactType", { ...descriptor(oci), platform, artifactType: "application/spdx+json" }, true, "amd64"],
      ["an attestation", { ...descriptor(oci), ...attestation, platform: unknown }, true, undefined],
      ["an attestation with a platform", { ...descriptor(oci), ...attestation, platform }, true, "amd64"],
      ["a platform that is unknown", { ...descriptor(oci), platform: unknown }, true, undefined],
      ["half a platform", { ...descriptor(oci), platform: { os: "linux" } }, false, undefined],
      ["no type", { ...descriptor(""), platform }, true, "amd64"],
      ["a vendor's type", vendor, true, undefined],
      ["a vendor's type with a platform", { ...vendor, platform }, true, "amd64"],
      ["a layer's type", descriptor("application/vnd.oci.image.layer.v1.tar+gzip"), true, undefined],
      ["no object", "sha256:", true, undefined],
    ];
    const manifest = parse({ manifests: [null, ...cases.map(([, entry]) => entry)] }, index);
    assert.equal(manifest.kind, "index");
    assert.deepEqual(
      manifest.entries.map(({ isDoubtful, platform }, place) => [
        cases[place]?.[0],
        isDoubtful,
        platform?.architecture,
      ]),
      cases.map(([name, , isDoubtful, architecture]) => [name, isDoubtful, architecture]),
    );
    assert.equal(manifest.entries[1]?.isIndex, true);
  });

  for (const own of [`blake3:${"a".repeat(64)}`, "sha256:ABC", "../x", "", 7, undefined]) {
    test(`keeps an entry with the digest ${own}, which cannot be fetched`, () => {
      const entry = { ...descriptor(oci), digest: own, platform: { os: "linux", architecture: "amd64" } };
      const manifest = parse({ manifests: [entry] }, index);
      assert.ok(manifest.kind === "index");
      assert.deepEqual(
        manifest.entries.map(({ digest, platform }) => [digest, platform?.architecture]),
        [["", "amd64"]],
      );
    });
  }

  test("of layers, which is BuildKit's cache, is no image", () => {
    const layers = [gzipLayer, descriptor("application/vnd.buildkit.cacheconfig.v0")];
    const manifest = parse({ schemaVersion: 2, mediaType: index, manifests: layers }, index);
    assert.ok(manifest.kind === "other");
    assert.deepEqual([manifest.note, manifest.why], ["not_an_image", "a build cache"]);
    const platform = { os: "linux", architecture: "amd64" };
    for (const image of [descriptor(oci), descriptor(index), { ...descriptor(""), platform }])
      assert.equal(parse({ manifests: [...layers, image] }, index).kind, "index", "there is an image beside it");
  });

  test("that lists layers too is refused: clients would read the one or the other", () => {
    const both = { schemaVersion: 2, manifests: [descriptor(oci)], config, layers: [gzipLayer] };
    for (const type of [oci, index, ""]) assert.throws(() => parse(both, type), isInvalid, type);
    assert.equal(parse({ ...both, manifests: [] }, "").kind, "image");
    assert.equal(parse({ ...both, manifests: null }, oci).kind, "image");
    assert.equal(parse({ ...both, layers: [] }, index).kind, "index");
  });

  test("without a list, or with null for it, lists nothing", () => {
    for (const body of [{ schemaVersion: 2 }, { schemaVersion: 2, manifests: null }, { mediaType: index }]) {
      const manifest = parse(body, index);
      assert.deepEqual(manifest.kind === "index" && manifest.entries, []);
    }
    assert.throws(() => parse({ schemaVersion: 2, manifests: {} }, index), isInvalid);
  });
});

test("millions of layers or manifests that are none are refused by their count, before any is looked at", () => {
  for (const list of ["layers", "manifests"]) {
    const config = JSON.stringify({ digest: `sha256:${"a".repeat(64)}` });
    const text = `{"schemaVersion":2,"config":${config},"${list}":[${"0,".repeat(2_000_000)}0]}`;
    const begin = process.threadCpuUsage().user;
    assert.throws(() => parse(text, list === "layers" ? oci : index), { message: new RegExp(`lists 2000001 ${list}`) });
    assert.ok(process.threadCpuUsage().user - begin < 1_000_000);
  }
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
