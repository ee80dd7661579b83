import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Advisory } from "./advisory.ts";
import { shippedAdvisories } from "./advisory-data.ts";
import { AdvisoryIndex } from "./advisory-index.ts";

function advisory(own: Partial<Advisory>): Advisory {
  return {
    namespace: "debian:12",
    package: "openssl",
    name: "CVE-1",
    fixedVersion: "1.0-2",
    severity: "High",
    description: "",
    link: "",
    ...own,
  };
}

const openssl = { namespace: "debian:12", package: "openssl", version: "1.0-1", versionOrder: "dpkg" } as const;

describe("matching", () => {
  const index = new AdvisoryIndex([advisory({ name: "CVE-2", fixedVersion: null }), advisory({})]);
  const namesFor = (own: Partial<typeof openssl> | object) =>
    index.affecting({ ...openssl, ...own }).map(({ name }) => name);

  test("an older version than the fixed one is affected", () => {
    assert.deepEqual(namesFor({}), ["CVE-1", "CVE-2"]);
  });

  test("the fixed version is not affected, but by what was never mended", () => {
    assert.deepEqual(namesFor({ version: "1.0-2" }), ["CVE-2"]);
    assert.deepEqual(namesFor({ version: "1:0" }), ["CVE-2"]);
  });

  test("another distribution or package is not affected", () => {
    assert.deepEqual(namesFor({ namespace: "debian:11" }), []);
    assert.deepEqual(namesFor({ package: "libssl3" }), []);
  });

  test("Alpine's versions are compared as Alpine does", () => {
    const alpine = new AdvisoryIndex([advisory({ namespace: "alpine:v3.15", fixedVersion: "1.0_p1-r0" })]);
    const subject = { ...openssl, namespace: "alpine:v3.15", versionOrder: "apk", version: "1.0-r9" } as const;
    assert.equal(alpine.affecting(subject).length, 1);
  });
});

describe("the shipped advisories", () => {
  const advisories = shippedAdvisories();

  test("name each vulnerability of a package once", () => {
    const keys = advisories.map(({ namespace, package: source, name }) => `${namespace} ${source} ${name}`);
    assert.equal(new Set(keys).size, keys.length);
  });

  test("give the severity of a vulnerability to every package that has it, and the fix to each its own", () => {
    const rapidReset = advisories.filter(({ name }) => name === "CVE-2023-44487");
    const facts = rapidReset.map(({ package: source, severity, fixedVersion }) => [source, severity, fixedVersion]);
    assert.deepEqual(facts.sort(), [
      ["nghttp2", "High", "1.52.0-1+deb12u1"],
      ["nginx", "High", "1.22.1-9+deb12u11"],
    ]);
  });

  test("give no severity that nobody has given", () => {
    const unscored = advisories.filter(({ cvss3 }) => cvss3 === undefined);
    assert.ok(unscored.length > 500);
    assert.ok(unscored.every(({ severity }) => severity === "Unknown"));
  });
});
