import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { claimsOf, type VexComponent, type VexStatement } from "./vex.ts";

const digest = `sha256:${"a".repeat(64)}`;
const openssl = "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64";

function product(id: string, ...subcomponents: string[]): VexComponent {
  const parts = subcomponents.map((part) => ({ identifiers: [part], subcomponents: [] }));
  return { identifiers: [id], subcomponents: parts };
}

function statementOf(parts: Partial<VexStatement>): VexStatement {
  return {
    ...{ vulnerabilities: ["CVE-2023-4911"], products: [product(`pkg:oci/web@${digest}`)], status: "not_affected" },
    ...{ justification: "vulnerable_code_not_in_execute_path", impact: "", timestamp: 0 },
    ...parts,
  };
}

function scopesOf(...products: VexComponent[]) {
  const { claims, skipped } = claimsOf([statementOf({ products })], "team/*");
  const scopes = claims.map(({ repository, digest, tag, package: name, version }) => [
    repository,
    digest,
    tag,
    name,
    version,
  ]);
  return { scopes, skipped };
}

describe("a statement of an OpenVEX document", () => {
  const cases: [what: string, product: VexComponent, scope: string[]][] = [
    [
      "an image by its digest, wherever it is",
      product(`pkg:oci/web@${encodeURIComponent(digest)}`),
      ["", digest, "", "", ""],
    ],
    ["an image by a bare digest", product(digest), ["", digest, "", "", ""]],
    ["an image by its hash", { identifiers: ["urn:web", digest], subcomponents: [] }, ["", digest, "", "", ""]],
    [
      "an image by its repository and tag",
      product("pkg:oci/web?repository_url=registry.example:5000/library/web&tag=1.0"),
      ["library/web", "", "1.0", "", ""],
    ],
    [
      "all images of a repository",
      product("pkg:oci/web?repository_url=https%3A%2F%2Fregistry.example%2Flibrary%2Fweb"),
      ["library/web", "", "", "", ""],
    ],
    ["a repository without a host", product("pkg:oci/web?repository_url=library/web"), ["library/web", "", "", "", ""]],
    ["an image of the repositories that the import names", product("pkg:oci/web"), ["team/*", "", "", "", ""]],
    ["a package of an image", product(digest, openssl), ["", digest, "", "openssl", "3.0.11-1~deb12u2"]],
    ["a package in those repositories", product(openssl), ["team/*", "", "", "openssl", "3.0.11-1~deb12u2"]],
    [
      "a package with an epoch",
      product("pkg:rpm/fedora/curl@7.50.3-1?epoch=2"),
      ["team/*", "", "", "curl", "2:7.50.3-1"],
    ],
  ];
  for (const [what, named, scope] of cases) {
    test(`is about ${what}`, () => assert.deepEqual(scopesOf(named), { scopes: [scope], skipped: [] }));
  }

  const unclear: [what: string, statement: Partial<VexStatement>, why: RegExp][] = [
    [
      "an image's version that is no digest",
      { products: [product("pkg:oci/web@1.0")] },
      /the version 1\.0, which is no digest/,
    ],
    [
      "a product that is neither",
      { products: [product("https://example.com/web")] },
      /neither an image .* nor a package URL/,
    ],
    ["a subcomponent that is none", { products: [product(digest, "openssl")] }, /subcomponent that is no package URL/],
    ["a package with parts", { products: [product(openssl, openssl)] }, /a package with subcomponents/],
    ["no product", { products: [] }, /names no product/],
    ["no vulnerability", { vulnerabilities: [] }, /names no vulnerability/],
    ["no reason", { justification: "" }, /without justification or impact_statement/],
  ];
  for (const [what, statement, why] of unclear) {
    test(`claims nothing with ${what}, and says so`, () => {
      const { claims, skipped } = claimsOf([statementOf(statement)], "");
      assert.deepEqual([claims.length, skipped.length], [0, 1]);
      assert.match(skipped[0] ?? "", why);
    });
  }

  test("needs a repository for an image that names none", () => {
    assert.match(
      claimsOf([statementOf({ products: [product("pkg:oci/web")] })], "").skipped[0] ?? "",
      /give the import a repository/,
    );
  });

  test("has the reason in its words", () => {
    const { claims } = claimsOf([statementOf({ impact: "The function is never called." })], "");
    const reason = "not_affected: vulnerable_code_not_in_execute_path. The function is never called.";
    assert.equal(claims[0]?.reason, reason);
  });

  test("gives way to a later one about the same, wherever that stands", () => {
    const later = statementOf({ status: "affected", timestamp: 2 });
    const other = statementOf({ vulnerabilities: ["CVE-2014-0160"], timestamp: 3 });
    for (const statements of [
      [statementOf({ timestamp: 1 }), later, other],
      [later, other, statementOf({ timestamp: 1 })],
    ]) {
      const { claims } = claimsOf(statements, "");
      assert.deepEqual(
        claims.map(({ vulnerability, status }) => [vulnerability, status]),
        [
          ["CVE-2023-4911", "affected"],
          ["CVE-2014-0160", "not_affected"],
        ],
      );
    }
  });
});
