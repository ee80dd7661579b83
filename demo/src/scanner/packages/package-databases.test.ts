import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readApkInstalled } from "./apk-installed.ts";
import { readDpkgStatus } from "./dpkg-status.ts";

describe("dpkg's status file", () => {
  test("a package is its own source unless it says otherwise", () => {
    const [bash, libssl, bsdutils] = readDpkgStatus(
      [
        "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2\nDescription: x\n more",
        "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.20-1",
        "Package: bsdutils\nSource: util-linux (2.38.1-5)\nStatus: install ok installed\nVersion: 1:2.38.1-5",
      ].join("\n\n"),
    );
    assert.deepEqual(bash, {
      name: "bash",
      version: "5.2.15-2",
      architecture: "amd64",
      source: { name: "bash", version: "5.2.15-2" },
    });
    assert.deepEqual(libssl?.source, { name: "openssl", version: "3.0.20-1" });
    assert.deepEqual(bsdutils?.source, { name: "util-linux", version: "2.38.1-5" });
  });

  test("a package that was removed does not count", () => {
    assert.deepEqual(readDpkgStatus("Package: nginx\nStatus: deinstall ok config-files\nVersion: 1.22.1-9\n"), []);
  });

  test("a package without status is installed, as in status.d", () => {
    assert.equal(readDpkgStatus("Package: tzdata\nVersion: 2026b-0\n")[0]?.name, "tzdata");
  });

  test("what is no package is skipped", () => {
    assert.deepEqual(readDpkgStatus("\n\n\nVersion: 1\n\nPackage: x\n\n nonsense"), []);
  });
});

describe("apk's installed file", () => {
  test("names the package and what it was built from", () => {
    const text =
      "C:Q1abc=\nP:ssl_client\nV:1.34.1-r4\nA:x86_64\no:busybox\nF:usr\nR:ssl_client\n\nP:musl\nV:1.2.2-r7\n\n";
    assert.deepEqual(readApkInstalled(text), [
      {
        name: "ssl_client",
        version: "1.34.1-r4",
        architecture: "x86_64",
        source: { name: "busybox", version: "1.34.1-r4" },
      },
      { name: "musl", version: "1.2.2-r7", architecture: "", source: { name: "musl", version: "1.2.2-r7" } },
    ]);
  });

  test("an entry without a version is skipped", () => {
    assert.deepEqual(readApkInstalled("P:half\n\n"), []);
  });
});
