import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readPackageUrl } from "./package-url.ts";

describe("a package URL", () => {
  const cases: [text: string, parts: [type: string, namespace: string, name: string, version: string]][] = [
    ["pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u5?arch=amd64", ["deb", "debian", "openssl", "1.1.1n-0+deb11u5"]],
    ["pkg:apk/alpine/curl@7.83.0-r0", ["apk", "alpine", "curl", "7.83.0-r0"]],
    ["pkg:golang/github.com/gorilla/context@234fd47#api", ["golang", "github.com/gorilla", "context", "234fd47"]],
    ["pkg:npm/%40angular/animation@12.3.1", ["npm", "@angular", "animation", "12.3.1"]],
    ["pkg:OCI/web", ["oci", "", "web", ""]],
    ["pkg:oci/web@sha256%3Aabc?tag=1.0", ["oci", "", "web", "sha256:abc"]],
    ["pkg:oci/web@sha256:abc", ["oci", "", "web", "sha256:abc"]],
  ];
  for (const [text, [type, namespace, name, version]] of cases) {
    test(`is read from ${text}`, () => {
      const url = readPackageUrl(text) ?? assert.fail();
      assert.deepEqual([url.type, url.namespace, url.name, url.version], [type, namespace, name, version]);
    });
  }

  test("has its qualifiers, decoded", () => {
    const url = readPackageUrl("pkg:oci/web?repository_url=registry.example%3A5000/library/web&Tag=1.0&empty");
    assert.deepEqual(Object.fromEntries(url?.qualifiers ?? []), {
      repository_url: "registry.example:5000/library/web",
      tag: "1.0",
      empty: "",
    });
  });

  test("is none in any other text", () => {
    const others = [
      "",
      "pkg:",
      "pkg:deb",
      "pkg:deb/",
      "deb/debian/openssl",
      "pkg:deb/open%ssl",
      "pkg:deb/a@%",
      "sha256:a",
    ];
    assert.deepEqual(
      others.map(readPackageUrl),
      others.map(() => undefined),
    );
  });
});
