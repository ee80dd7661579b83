import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatSeries, isMet, renderTable } from "./table.ts";

describe("the table", () => {
  test("shows medians with their spread, the ratio round by round, and how the target was kept", () => {
    const table = renderTable([
      {
        what: "launches/s",
        samples: [9000, 10_000, 30_000],
        beside: { samples: [3000, 5000, 10_000] },
        target: { kind: "at-least-times", factor: 2 },
      },
      {
        what: "p99, ms",
        samples: [8.25],
        beside: { name: "echo", samples: [4] },
        target: { kind: "at-most", value: 8 },
      },
      { what: "alone", samples: [1] },
    ]);
    assert.equal(
      table,
      [
        "| what       | Drydock               | BullMQ               | ratio   | target      |",
        "|------------|-----------------------|----------------------|---------|-------------|",
        "| launches/s | 10,000 (9,000–30,000) | 5,000 (3,000–10,000) | 3 (2–3) | ≥ 2 ×: met  |",
        "| p99, ms    | 8.25                  | echo 4               | 2.06    | ≤ 8: missed |",
        "| alone      | 1                     | –                    | –       | –           |",
      ].join("\n"),
    );
  });

  test("gives figures as many digits as they are worth", () => {
    assert.equal(formatSeries([1234.5]), "1,235");
    assert.equal(formatSeries([12.34]), "12.3");
    assert.equal(formatSeries([0.8449]), "0.84");
    assert.equal(formatSeries([5, 5]), "5 (5–5)");
  });

  test("meets a target by the median, just at the bound too", () => {
    assert.equal(isMet({ kind: "at-most", value: 6 }, [6, 60, 1]), true);
    assert.equal(isMet({ kind: "at-most-times", factor: 2 }, [1], [2.1]), false);
    assert.equal(isMet({ kind: "at-least-times", factor: 2 }, [1], [2]), true);
  });

  test("meets no ratio when there is nothing to compare with", () => {
    assert.equal(isMet({ kind: "at-least-times", factor: 0 }, [1]), false);
  });
});
