import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { findCve } from "./cve-table.ts";
import { readEpss } from "./epss.ts";

const head = "#model_version:v2025.03.14,score_date:2026-11-30T00:00:00+0000\ncve,epss,percentile\n";

async function* piecesOf(text: string, size = text.length || 1) {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

describe("the EPSS scores", () => {
  test("are read the same however the text is cut", async () => {
    const text = `${head}CVE-2014-0160,0.94464,0.99989\r\nCVE-2021-44228,0.94358,1\nCVE-2000-0001,1e-05,0.1`;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: text.length }), async (size) => {
        const { version, table } = await readEpss(piecesOf(text, size));
        assert.equal(version, "model_version:v2025.03.14,score_date:2026-11-30T00:00:00+0000");
        const names = ["CVE-2014-0160", "CVE-2021-44228", "CVE-2000-0001", "CVE-2014-6271"];
        assert.deepEqual(
          names.map((name) => findCve(table, name)),
          [Math.fround(0.94464), Math.fround(0.94358), Math.fround(1e-5), undefined],
        );
      }),
    );
  });

  const faults: [what: string, text: string, fault: RegExp][] = [
    ["have no head", "CVE-2014-0160,0.9,0.9\n", /^line 1 is to name the columns cve and epss$/],
    ["are none", head, /^has no scores$/],
    ["are nothing", "", /^has no scores$/],
    ["have a line that is cut off", `${head}CVE-2014-0160,0.9,0.9\nCVE-2014-62`, /^line 4 is not a CVE/],
    ["have no number", `${head}CVE-2014-0160,,0.9\n`, /^line 3 is not a CVE and a probability from 0 to 1$/],
    ["have an impossible number", `${head}CVE-2014-0160,1.5,0.9\n`, /^line 3 is not/],
    ["have a line without an end", `${head}${"x".repeat(5_000)}`, /^line 3 is longer than 1000 characters$/],
  ];
  for (const [what, text, message] of faults) {
    test(`that ${what} are refused with words`, async () => {
      await assert.rejects(readEpss(piecesOf(text, 1_500)), { name: "FeedFault", message });
    });
  }
});
