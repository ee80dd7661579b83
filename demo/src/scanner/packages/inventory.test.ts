import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LayerFiles } from "../unpack/layer-files.ts";
import { distributionIn, isInventoryFile, packagesIn, withLayer } from "./inventory.ts";

function layer(files: Record<string, string>, own: Partial<LayerFiles> = {}): LayerFiles {
  const contents = Object.entries(files).map(([path, text]): [string, Buffer] => [path, Buffer.from(text)]);
  return { files: new Map(contents), removed: [], opaque: [], ...own };
}

const status = "var/lib/dpkg/status";
const base = withLayer(
  undefined,
  layer({ "etc/os-release": 'ID=debian\nVERSION_ID="12"\n', [status]: "Package: a\nVersion: 1\n" }),
);

describe("the inventory of an image", () => {
  test("a layer without databases changes nothing", () => {
    const image = withLayer(base, layer({}));
    assert.deepEqual(packagesIn(image), packagesIn(base));
    assert.equal(distributionIn(image)?.namespace, "debian:12");
  });

  test("a database replaces the one below", () => {
    const image = withLayer(base, layer({ [status]: "Package: b\nVersion: 2\n" }));
    assert.deepEqual(
      packagesIn(image).map(({ name }) => name),
      ["b"],
    );
  });

  test("a removed database has no packages, whichever way it is removed", () => {
    for (const own of [{ removed: [status] }, { removed: ["var"] }, { opaque: ["var/lib/"] }, { opaque: [""] }]) {
      assert.deepEqual(packagesIn(withLayer(base, layer({}, own))), []);
    }
  });

  test("an opaque directory keeps what its own layer brings", () => {
    const image = withLayer(base, layer({ [status]: "Package: b\nVersion: 2\n" }, { opaque: ["var/lib/dpkg/"] }));
    assert.equal(packagesIn(image).length, 1);
  });

  test("every file of status.d is a database of its own", () => {
    const image = withLayer(
      undefined,
      layer({
        "var/lib/dpkg/status.d/a": "Package: a\nVersion: 1\n",
        "var/lib/dpkg/status.d/b": "Package: b\nVersion: 1\n",
      }),
    );
    assert.equal(packagesIn(image).length, 2);
    assert.ok(!isInventoryFile("var/lib/dpkg/status.d/a.md5sums"));
  });

  test("usr/lib/os-release counts where etc/os-release is missing", () => {
    const image = withLayer(undefined, layer({ "usr/lib/os-release": "ID=alpine\nVERSION_ID=3.15.11\n" }));
    assert.deepEqual(distributionIn(image), { namespace: "alpine:v3.15", versionOrder: "apk" });
  });

  test("an unknown system is none", () => {
    assert.equal(
      distributionIn(withLayer(undefined, layer({ "etc/os-release": "ID=plan9\nVERSION_ID=4\n" }))),
      undefined,
    );
    assert.equal(distributionIn(withLayer(undefined, layer({ "etc/os-release": "ID=debian\n" }))), undefined);
  });
});
