import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as proto from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { boundedTexts, boundedVulnerability } from "./bounded.ts";
import type { Vulnerability } from "./report.ts";

const vulnerability: Vulnerability = {
  ...{ key: "debian:12/CVE-1", name: "CVE-1", namespace: "debian:12", description: "bad", sourceSeverity: "High" },
  ...{ links: ["https://example.org/1"], severity: "HIGH", cvss: [], extensions: {} },
};

function nested(levels: number, wrap: (value: unknown) => unknown): unknown {
  let value: unknown = "x";
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

const inObject = (value: unknown) => ({ Vendor: value });
const inList = (value: unknown) => [value];
const keptOf = (extensions: Record<string, unknown>) =>
  boundedVulnerability({ ...vulnerability, extensions }).extensions;

describe("what a scanner says beyond our model", () => {
  test("is kept as it is when it is small", () => {
    const extensions = {
      Vendor: { Note: "x", Scores: [1, 2.5, -0], Fixed: null, Open: true },
      Other: nested(15, inList),
    };
    assert.deepEqual(boundedVulnerability({ ...vulnerability, extensions }), { ...vulnerability, extensions });
  });

  test("is left out when it is too deep, and the rest is kept", () => {
    for (const wrap of [inObject, inList]) {
      for (const levels of [16, 40, 5_000]) {
        assert.deepEqual(keptOf({ Deep: nested(levels, wrap), Flat: 1 }), { Flat: 1 }, `${levels} levels`);
      }
    }
  });

  test("is left out when it is too large, and the rest is kept", () => {
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`key-${at}`, at]));
    const large = [keys, "x".repeat(70_000), "é".repeat(40_000), Array(100_000).fill(0), Array(20_000).fill({})];
    for (const value of large) assert.deepEqual(keptOf({ Large: value, Flat: 1 }), { Flat: 1 });
    const many = keptOf(keys);
    assert.ok(Object.keys(many).length > 1_000 && Object.keys(many).length < 10_000);
  });

  test("is left out when it is a number that JSON has not", () => {
    assert.deepEqual(keptOf({ Score: JSON.parse("1e999"), Flat: 1 }), { Flat: 1 });
  });

  test("is kept when its name is one that every object has", () => {
    const extensions = JSON.parse('{"__proto__":{"Note":"x"},"constructor":"y"}');
    assert.equal(JSON.stringify(keptOf(extensions)), JSON.stringify(extensions));
  });
});

describe("an entry of a report", () => {
  test("has less than 1 MiB, whatever the scanner says", () => {
    const text = "é".repeat(1_000_000);
    const score = { version: text, score: 1, vector: text, source: text };
    const bounded = boundedVulnerability({
      ...vulnerability,
      ...{ key: text, name: text, namespace: text, description: text, sourceSeverity: text },
      ...{ links: [...Array(1_000).fill("x".repeat(2_048)), text], cvss: Array(100).fill(score) },
      extensions: { A: "x".repeat(65_000), B: text },
    });
    const { severity, ...rest } = bounded;
    const bytes = proto.Vulnerability.encode(proto.Vulnerability.fromPartial(rest as object)).finish().length;
    assert.ok(bytes < 1024 * 1024, `${bytes} bytes`);
    assert.deepEqual([severity, bounded.description.length, bounded.links.length], ["HIGH", 32_768, 30]);
    const pack = {
      id: text,
      name: text,
      version: text,
      versionFormat: text,
      namespace: text,
      layerDigest: text,
      purl: text,
    };
    assert.ok(proto.Package.encode(boundedTexts(pack)).finish().length < 1024 * 1024);
  });

  test("never ends within a character", () => {
    const { description } = boundedVulnerability({ ...vulnerability, description: `x${"😀".repeat(20_000)}` });
    assert.ok(description.isWellFormed());
  });
});
