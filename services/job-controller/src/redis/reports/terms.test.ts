import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plain, readTerm, termsOf } from "./terms.ts";

describe("the terms of a report", () => {
  const finding = {
    vulnerability: "CVE-1",
    package: "tar",
    version: "1.34",
    fixedVersion: "1.35",
    severity: "HIGH",
  } as const;

  test("are one for each finding, which can be read from it", () => {
    const [term = "", ...others] = termsOf({ findings: [finding, { ...finding }] });
    const { vulnerability, ...rest } = finding;
    assert.deepEqual([others, term.startsWith(`${vulnerability}\0`)], [[], true]);
    assert.deepEqual(readTerm(term.slice(vulnerability.length + 1)), rest);
  });

  test("have no name that could be taken for two, is too long or is not well-formed", () => {
    assert.equal(plain("a\0b"), "ab");
    assert.equal(plain("x".repeat(300)), "x".repeat(256));
    assert.equal(plain("a\ud800b"), "a\ufffdb");
    assert.equal(plain(`${"\0".repeat(200)}${"x".repeat(100)}`), "x".repeat(100));
    assert.equal(plain("libc6 ☃"), "libc6 ☃");
  });
});
