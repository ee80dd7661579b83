import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReportEntry } from "../../domain/report-entry.ts";
import { headOf, ImageFacts, packDigest, tailOf } from "./image-facts.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

function entryOf(parts: Partial<ReportEntry> = {}): ReportEntry {
  const counts = { total: 3, unique: 3, fixable: 1, bySeverity: { HIGH: 1, LOW: 2 }, packages: 9, affectedPackages: 2 };
  return {
    ...{ reportId: "", jobId: "", digest, indexDigest: "", platform: "", repository: "", tags: [], headline: "" },
    ...{ coverage: "PARTIAL", coverageNotes: [], scanner: "Clair", scannerState: "", scannedAt: 1_764_547_200_123 },
    ...{ counts, knownExploited: 0, maxEpss: 0 },
    ...parts,
  };
}

/** As reports/orders.lua puts them together. */
function factsOf(entry: ReportEntry, number = 70_000): ImageFacts {
  const middle = Buffer.alloc(4);
  middle.writeUInt32BE(number);
  return new ImageFacts(Buffer.concat([headOf(entry), middle, tailOf(entry)]));
}

describe("the facts of an image", () => {
  test("are those of its entry", () => {
    const facts = factsOf(entryOf());
    assert.deepEqual([facts.digest, facts.number, facts.scannedAt], [digest, 70_000, 1_764_547_200_123]);
    assert.deepEqual([facts.worst, facts.fixable, facts.coverage], ["HIGH", true, "PARTIAL"]);
    const clean = factsOf(entryOf({ counts: { ...entryOf().counts, total: 0, fixable: 0, bySeverity: {} } }));
    assert.deepEqual([clean.worst, clean.fixable], ["NONE", false]);
  });

  test("keep a digest of any algorithm", () => {
    for (const odd of [`sha512:${"ab".repeat(64)}`, "sha256:1"]) {
      assert.equal(factsOf(entryOf({ digest: odd })).digest, odd);
    }
    assert.equal(packDigest(digest).length, 32);
  });

  test("are ordered the worst first, however many there are of a kind", () => {
    const withCounts = (CRITICAL: number, LOW: number, knownExploited = 0) =>
      factsOf(entryOf({ knownExploited, counts: { ...entryOf().counts, bySeverity: { CRITICAL, LOW } } }));
    const ordered = [
      withCounts(0, 1, 1),
      withCounts(300, 0),
      withCounts(2, 0),
      withCounts(1, 99_999),
      withCounts(1, 9),
    ];
    const keys = ordered.map((facts) => facts.sortKey("WORST"));
    assert.deepEqual(keys.toSorted(Buffer.compare), keys);
  });

  test("are ordered by time, either way", () => {
    const [early, late] = [1, 70_000].map((scannedAt) => factsOf(entryOf({ scannedAt })));
    assert.ok(early !== undefined && late !== undefined);
    assert.equal(Buffer.compare(early.sortKey("OLDEST"), late.sortKey("OLDEST")), -1);
    assert.equal(Buffer.compare(early.sortKey("NEWEST"), late.sortKey("NEWEST")), 1);
  });
});
