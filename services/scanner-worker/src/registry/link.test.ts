import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextLink } from "./link.ts";
import { failsWith } from "./test-kit.ts";

const url = new URL("https://registry.example.com/base/v2/_catalog?n=2");
const next = (link: string, from = url) => nextLink("the list", { headers: { link }, url: from })?.href;

describe("a Link header", () => {
  for (const [link, expected] of [
    ['</v2/_catalog?last=a%2Fb&n=2>; rel="next"', "https://registry.example.com/v2/_catalog?last=a%2Fb&n=2"],
    ["<?last=b>; rel=next", "https://registry.example.com/base/v2/_catalog?last=b"],
    ["<_catalog?last=b>;REL=NEXT", "https://registry.example.com/base/v2/_catalog?last=b"],
    [
      '<https://registry.example.com:443/x?y="z">; title="a"; rel="prev next"',
      "https://registry.example.com/x?y=%22z%22",
    ],
    ['<https://evil.test/>; rel="prev", </x?last=1,2>; rel="next"', "https://registry.example.com/x?last=1,2"],
    ["//registry.example.com/x", undefined],
    ['</x>; rel="nextest"', undefined],
    ["</x>", undefined],
    ["", undefined],
  ] as const) {
    test(`${link || "that is missing"} leads to ${expected ?? "no page"}`, () => assert.equal(next(link), expected));
  }

  test("is followed from http to https on the same host", () => {
    const from = new URL("http://registry.example.com/v2/_catalog");
    const there = "https://registry.example.com/v2/_catalog?last=b";
    assert.equal(next(`<${there}>; rel=next`, from), there);
  });

  for (const target of [
    "https://evil.test/v2/_catalog",
    "//evil.test/v2/_catalog",
    "http://registry.example.com/v2/_catalog",
    "https://registry.example.com:8443/v2/_catalog",
    "https://registry.example.com.evil.test/",
    "https://registry.example.com@evil.test/",
    "\\\\evil.test/v2/_catalog",
    "javascript:alert(1)",
    "file:///etc/passwd",
  ]) {
    test(`to ${target} is refused`, () => {
      assert.throws(() => next(`<${target}>; rel="next"`), failsWith("LIST_INVALID", "refused"));
    });
  }

  test("that can't be read ends no list", () => {
    for (const link of ['/v2/_catalog?last=b; rel="next"', "<https://>; rel=next", '<x; rel="next"'])
      assert.throws(() => next(link), failsWith("LIST_INVALID", "Link header"));
  });

  test("that is made to be slow is read at once", () => {
    const begun = performance.now();
    for (const part of ["<", "<>", ";", "<>;", "<>; rel", "<x>; rel =", " ", '<>;"'])
      assert.equal(next(part.repeat(16_000)), undefined);
    assert.ok(performance.now() - begun < 2_000);
  });
});
