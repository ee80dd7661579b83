import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ExportForm, exportForms, fileNameOf } from "@drydock/job-controller/exports/export-form.ts";
import { toPieces } from "@drydock/job-controller/exports/pieces.ts";
import { type FindException, ReportSource } from "@drydock/job-controller/exports/report-source.ts";
import { Exception } from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { parse } from "csv-parse/sync";
import { createCycloneDxCheck, createSarifCheck } from "../support/export-schemas.ts";
import { inParts, oddReports, sampleReport } from "../support/sample-reports.ts";

const entriesPerPart = 500;

const untilThen = new Date("2030-01-01");
const stated = { reason: "not reachable", createdBy: "security", expiresAt: untilThen };
/** What passes over every finding in that version of openssl. */
const ofOpenssl: FindException = (vulnerability, name, version) =>
  name === "openssl" && version === "1.0-1" ? Exception.fromPartial({ id: "e1", vulnerability, ...stated }) : undefined;

async function exportAs({ write }: ExportForm, report: Report, exceptions?: FindException): Promise<string> {
  const options = exceptions && { exceptionsOf: async () => exceptions };
  const source = await ReportSource.open(() => inParts(report, entriesPerPart), options);
  return (await Array.fromAsync(toPieces(write(source)))).join("");
}

const asJson = async (form: ExportForm, report: Report) => JSON.parse(await exportAs(form, report));

/** Without what the generated JSON cannot say: values that an enum does not have. */
const plain = (report: Report): Report => Report.fromJSON(Report.toJSON(report));

/** What a terminal acts on, and what turns the direction of text. */
const control = /(?![\t\n])\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** The document with the first entries of its lists alone: that entries differ is compared each with each. */
function shortened(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document, (_, value) => (Array.isArray(value) ? value.slice(0, 300) : value)));
}

describe("an export", () => {
  const isSarif = createSarifCheck();
  const isCycloneDx = createCycloneDxCheck();

  for (const [what, report] of Object.entries(oddReports)) {
    describe(`of a report with ${what}`, () => {
      test("as JSON is the report", async () => {
        assert.deepEqual(Report.fromJSON(await asJson(exportForms.json, report)), plain(report));
      });

      test("as SARIF fits the schema, and has a result for each finding with the rule that it names", async () => {
        const document = await asJson(exportForms.sarif, report);
        assert.deepEqual(isSarif(shortened(document)), []);
        const [{ results, tool, properties, invocations }] = document.runs;
        assert.equal(results.length, report.findings.length);
        const named = results.filter(({ ruleIndex }: { ruleIndex?: number }) => ruleIndex !== undefined);
        for (const { ruleId, ruleIndex } of named) assert.equal(tool.driver.rules[ruleIndex].id, ruleId);
        assert.ok(properties.coverage !== "");
        const { level } = invocations[0].toolExecutionNotifications[0];
        assert.equal(level, report.coverage === 1 ? "note" : "warning");
      });

      test("as CycloneDX fits the schema, and refers to components that are there", async () => {
        const document = await asJson(exportForms.cyclonedx, report);
        assert.deepEqual(isCycloneDx(shortened(document)), []);
        const refs = new Set(document.components.map((component: { "bom-ref": string }) => component["bom-ref"]));
        assert.equal(refs.size, document.components.length);
        for (const { affects } of document.vulnerabilities) {
          for (const { ref } of affects) assert.ok(refs.has(ref), ref);
        }
        const aggregate = { 1: "complete", 2: "incomplete" }[report.coverage as 1 | 2] ?? "unknown";
        assert.equal(document.compositions[0].aggregate, aggregate);
      });

      test("as Harbor's report has a list, and a severity that says None of what was looked at alone", async () => {
        const { vulnerabilities, severity } = await asJson(exportForms.harbor, report);
        assert.equal(vulnerabilities.length, report.findings.length);
        assert.match(severity, /^(None|Unknown|Negligible|Low|Medium|High|Critical)$/);
        assert.equal(severity === "None", report.findings.length === 0 && report.coverage === 1);
      });

      test("as CSV is read back as it was meant, no cell a formula and none with a control character", async () => {
        const text = await exportAs(exportForms.csv, report);
        const [titles = [], ...rows] = parse(text, { record_delimiter: "\r\n" }) as string[][];
        assert.equal(titles.length, 13);
        assert.equal(rows.length, Math.max(1, report.findings.length));
        for (const row of rows) {
          assert.equal(row.length, titles.length);
          assert.notEqual(row[titles.indexOf("Coverage")], "");
          for (const cell of row) {
            assert.doesNotMatch(cell, /^\s*["]*[=+\-@\t\r]/);
            assert.doesNotMatch(cell, control);
          }
        }
      });

      test("as HTML has neither script nor outside reference, and says its coverage", async () => {
        const text = await exportAs(exportForms.html, report);
        assert.match(text, /Coverage: <strong>/);
        assert.doesNotMatch(text, control);
        const tags = [...text.matchAll(/<([a-z][a-z0-9]*)([^>]*)>/gi)];
        const known =
          /^(html|head|meta|title|style|body|main|header|h[1-3]|p|strong|ul|li|b|dl|dt|dd|section|table|thead|tbody|tr|th|td|span|a|article|footer)$/;
        for (const [tag, name = "", attributes = ""] of tags) {
          assert.match(name, known, tag);
          assert.doesNotMatch(attributes, /\b(on\w+|src|srcset|style|action|background)\s*=/i, tag);
          const href = /\bhref="([^"]*)"/.exec(attributes)?.[1];
          if (href !== undefined) assert.match(href, /^https?:\/\//, tag);
        }
        const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? "";
        assert.doesNotMatch(style, /url\(|@import|expression/);
      });

      test("as a table says its coverage beside the total, and nothing on which a terminal acts", async () => {
        const text = await exportAs(exportForms.table, report);
        assert.doesNotMatch(text, control);
        assert.match(text.trimEnd().split("\n").at(-1) ?? "", /^Total: \d+ findings?\b.*; coverage \w/);
        const rows = text.split("\n").filter((line) => /^(critical|high|medium|low|negligible|unknown)\b/.test(line));
        assert.equal(rows.length, report.findings.length);
      });
    });
  }

  describe("of findings that are excepted", () => {
    const found = ["1.0-1", "2.0"].map((version) => ({ vulnerability: "CVE-2026-1", package: "openssl", version }));
    const excepted = (form: ExportForm, report = sampleReport(found)) => exportAs(form, report, ofOpenssl);

    test("as SARIF suppresses each of them with the reason and the end, however many, and no other", async () => {
      const many = Array.from({ length: 150 }, (_, at) => ({ vulnerability: `CVE-2025-${at}`, package: "openssl" }));
      const document = JSON.parse(await excepted(exportForms.sarif, sampleReport([...found, ...many])));
      assert.deepEqual(isSarif(document), []);
      const suppressions = document.runs[0].results.map((result: { suppressions: object[] }) => result.suppressions);
      assert.deepEqual(suppressions[0], [
        {
          ...{ kind: "external", status: "accepted" },
          justification: "not reachable (security), until 2030-01-01T00:00:00.000Z",
          properties: { exceptionId: "e1", createdBy: "security", expiresAt: "2030-01-01T00:00:00.000Z" },
        },
      ]);
      assert.deepEqual(suppressions[1], [], "of another version");
      assert.equal(suppressions.filter((all: object[]) => all.length === 1).length, 151);
    });

    test("as table, HTML and CSV mark those alone, and say why beside them", async () => {
      const why = "not reachable \\(security\\), until 2030-01-01T00:00:00\\.000Z";
      const table = (await excepted(exportForms.table)).split("\n").filter((line) => line.startsWith("high"));
      assert.match(table[0] ?? "", new RegExp(`^high \\(excepted\\) .* 1\\.0-1 .* ${why}$`));
      assert.match(table[1] ?? "", / 2\.0 .*\/CVE-2026-1$/);
      const rows = (await excepted(exportForms.html)).split("\n").filter((line) => line.startsWith("<tr><td>"));
      assert.match(
        rows[0] ?? "",
        new RegExp(`<span class="mark">excepted</span> <span class="none">${why}</span></td>`),
      );
      assert.doesNotMatch(rows[1] ?? "", /excepted|reachable/);
      const lines = (await excepted(exportForms.csv)).split("\r\n");
      assert.match(lines[1] ?? "", new RegExp(`,"${why}"$`));
      assert.match(lines[2] ?? "", /,2\.0,.*,$/);
    });

    test("has no column for it where none is", async () => {
      assert.doesNotMatch(await exportAs(exportForms.table, sampleReport(found)), /EXCEPTION/);
    });
  });

  test("comes in pieces of less than 64 KiB, none of which splits a character", async () => {
    const report = sampleReport([
      { vulnerability: "CVE-2026-1", package: "a", description: `x${"🚢".repeat(100_000)}` },
    ]);
    const source = await ReportSource.open(() => inParts(report));
    const pieces = await Array.fromAsync(toPieces(exportForms.json.write(source)));
    assert.ok(pieces.length > 5);
    for (const piece of pieces) {
      assert.ok(Buffer.byteLength(piece) < 64 * 1024);
      assert.ok(piece.isWellFormed());
    }
  });

  test("of the same report is the same, whatever parts it is read in", async () => {
    const { markup: report = assert.fail() } = oddReports;
    for (const form of Object.values(exportForms)) {
      const whole = await ReportSource.open(async function* () {
        yield report;
      });
      const text = (await Array.fromAsync(toPieces(form.write(whole)))).join("");
      assert.equal(await exportAs(form, report), text);
    }
  });

  test("is refused when what it would keep of the report is too much", async () => {
    const { "many findings": report = assert.fail() } = oddReports;
    await assert.rejects(
      ReportSource.open(() => inParts(report, entriesPerPart), { maxBytes: 1_000_000 }),
      { name: "ReportTooLargeError" },
    );
  });

  test("has a name for a file that is one on every system", () => {
    const nameOf = (repository: string, tag: string) =>
      fileNameOf(
        sampleReport([], {
          artifact: { repository, tags: tag === "" ? [] : [tag], digest: `sha256:${"a".repeat(64)}` },
        }),
        exportForms.sarif,
      );
    assert.equal(nameOf("library/web", "1.0"), "library-web-1.0.sarif");
    assert.equal(nameOf("library/web", ""), "library-web-aaaaaaaaaaaa.sarif");
    assert.equal(nameOf("../../etc/passwd\0", '\n"x'), "etc-passwd-x.sarif");
    assert.equal(nameOf("🚢", "🚢"), "1jd5m9q2c00000.sarif");
  });
});
