import assert from "node:assert/strict";
import { test } from "node:test";
import { keepFindings } from "./kept-findings.ts";
import type { Finding } from "./report.ts";
import type { Severity } from "./severity.ts";
import { severitiesWorstFirst } from "./severity.ts";

const all = severitiesWorstFirst.flatMap((severity) => [findingOf(severity), findingOf(severity)]);

function findingOf(severity: Severity): Finding {
  return { packageId: "p", vulnerabilityKey: "v", severity, fixedVersion: "", status: "AFFECTED", layerDigest: "" };
}

test("without limits everything is kept that the controller takes", () => {
  const many = Array.from({ length: 25_001 }, () => all.slice(0, 2)).flat();
  const { kept, leftOut } = keepFindings(many);
  assert.deepEqual([kept.length, leftOut], [50_000, [{ severity: "CRITICAL", count: 2 }]]);
  assert.deepEqual(keepFindings(all), { kept: all, leftOut: [] });
  assert.deepEqual(keepFindings([], { leastSeverity: "HIGH", findings: 1 }), { kept: [], leftOut: [] });
});

test("what is milder than the least severity is left out, and counted", () => {
  const { kept, leftOut } = keepFindings(all, { leastSeverity: "MEDIUM" });
  assert.deepEqual(kept, all.slice(0, 6));
  assert.deepEqual(leftOut, [
    { severity: "LOW", count: 2 },
    { severity: "NEGLIGIBLE", count: 2 },
    { severity: "UNKNOWN", count: 2 },
  ]);
});

test("the worst are kept of too many, by the stricter of both limits", () => {
  assert.equal(keepFindings(all, { findings: 3 }).kept.length, 3);
  assert.deepEqual(keepFindings(all, { findings: 3 }).leftOut[0], { severity: "HIGH", count: 1 });
  assert.equal(keepFindings(all, { findings: 3, leastSeverity: "CRITICAL" }).kept.length, 2);
  assert.equal(keepFindings(all, { findings: 1, leastSeverity: "LOW" }).kept.length, 1);
});
