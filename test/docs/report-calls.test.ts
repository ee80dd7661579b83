import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { exportForms } from "@drydock/job-controller/exports/export-form.ts";
import { callsOf, makeCall } from "../support/documented-calls.ts";
import { readPage, tableBelow } from "../support/markdown.ts";
import { type ReportRig, startReportRig } from "../support/report-rig.ts";
import { imageReport } from "../support/sample-reports.ts";

const page = readPage("docs/reports.md");
const calls = callsOf(page, "$reports", "drydock.report.v1.ReportService");
const heartbleed = {
  vulnerability: "CVE-2014-0160",
  package: "openssl",
  version: "1.0.1e-2",
  fixedVersion: "1.0.1e-3",
};

describe("docs/reports.md", () => {
  let rig: ReportRig;
  before(async () => {
    rig = await startReportRig();
    await rig.put(imageReport("library/debian:7", "1", [heartbleed]));
    await rig.put(imageReport("library/debian:12-old", "2", [heartbleed]));
    await rig.put(imageReport("library/debian:12", "3"));
  });
  after(() => rig.stop());

  async function answersOf(name: string): Promise<JsonObject[][]> {
    const own = calls.filter(({ method }) => method.name === name);
    assert.ok(own.length > 0, name);
    return Promise.all(own.map((call) => makeCall(rig.client, call)));
  }

  test("shows calls that find what they are for", async () => {
    const [[report]] = (await answersOf("GetReport")) as [[JsonObject]];
    assert.equal((report.report as { findings: [] }).findings.length, 1);
    const [parts] = (await answersOf("StreamReport")) as [JsonObject[]];
    assert.ok(parts.length > 0);
    const [[found]] = (await answersOf("FindVulnerability")) as [
      [{ matches: { repository: string }[]; scannedImageCount: string }],
    ];
    assert.deepEqual(
      [found.matches.map(({ repository }) => repository), found.scannedImageCount],
      [["library/debian", "library/debian"], "3"],
    );
    const lists = (await answersOf("ListReports")) as [{ reports?: [] }][];
    assert.deepEqual(
      lists.map(([{ reports = [] }]) => reports.length),
      [3, 2, 0, 0, 0],
    );
    const [[summary]] = (await answersOf("GetSummary")) as [[{ totals: { images: string } }]];
    assert.equal(summary.totals.images, "3");
    const [[compared], [since]] = (await answersOf("CompareReports")) as [
      { goneCount?: string; newImages?: string },
    ][] as [[{ goneCount?: string }], [{ newImages?: string }]];
    assert.deepEqual([compared.goneCount, since.newImages], ["1", "3"]);
    const exports = (await answersOf("ExportReport")) as { text: string }[][];
    const texts = exports.map((pieces) => pieces.map(({ text }) => text).join(""));
    assert.equal(JSON.parse(texts[0] ?? "").runs[0].results[0].ruleId, "CVE-2014-0160");
    assert.match(texts[1] ?? "", /^high +CVE-2014-0160 +openssl/m);
    assert.match(texts[2] ?? "", /CVE-2014-0160<\/a>/);
  });

  test("has all methods of the service, and no form of exports is missing", () => {
    const service = calls[0]?.method.parent ?? assert.fail();
    const shown = new Set(calls.map(({ method }) => method.name));
    assert.deepEqual(
      service.methods.map(({ name }) => name).filter((name) => !shown.has(name)),
      [],
    );
    const rows = tableBelow(page, "Forms").map(([format = "", mediaType = ""]) => [format, mediaType]);
    const forms = Object.entries(exportForms).map(([name, { mediaType }]) => [
      `REPORT_FORMAT_${name.toUpperCase()}`,
      mediaType,
    ]);
    assert.deepEqual(rows, forms);
  });
});
