import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { undecorated } from "@drydock/job-controller/grpc/read-report.ts";
import { PolicyVerdict, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  ExportReportRequest,
  ReportServiceService as service,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { serverStreamCall } from "@drydock/shared/grpc/client.ts";
import { refusalOf } from "../support/refusal.ts";
import { type ReportRig, startReportRig } from "../support/report-rig.ts";
import { digestOf, imageReport, oddReports } from "../support/sample-reports.ts";

const options = { deadlineMs: 60_000 };
const mebibyte = 1024 * 1024;
/** More than the 50 ms that the controller is held to: the client that reads the export is in the same process. */
const maxTurnMs = 200;

/** How much of the processor a turn of the event loop took at most, in ms, as far as it was looked at: others may take it meanwhile. */
function watchTurns(): { stop(): number } {
  let longest = 0;
  const timer = setInterval(() => {
    const begin = process.cpuUsage();
    setImmediate(() => {
      const { user, system } = process.cpuUsage(begin);
      longest = Math.max(longest, (user + system) / 1_000);
    });
  }, 3);
  return {
    stop: () => {
      clearInterval(timer);
      return longest;
    },
  };
}

describe("ExportReport", () => {
  let rig: ReportRig;
  before(async () => {
    rig = await startReportRig();
    await rig.put(imageReport("library/web:1.0", "1", [{ vulnerability: "CVE-2026-1", package: "openssl" }]));
  });
  after(() => rig.stop());

  const exported = (request: Parameters<typeof ExportReportRequest.fromPartial>[0]) =>
    Array.fromAsync(
      serverStreamCall(rig.client, service.exportReport, ExportReportRequest.fromPartial(request), options),
    );

  const subject = { repository: "library/web", tag: "1.0" };

  test("streams each form with its media type and a name for a file in the first message", async () => {
    const told: Array<[format: number, mediaType: RegExp, fileName: string, text: RegExp]> = [
      [0, /^application\/json$/, "library-web-1.0.json", /^\{"packages":/],
      [1, /^application\/json$/, "library-web-1.0.json", /"coverage":"COVERAGE_FULL"/],
      [2, /^application\/sarif\+json$/, "library-web-1.0.sarif", /"version":"2\.1\.0"/],
      [3, /^application\/vnd\.cyclonedx\+json; version=1\.6$/, "library-web-1.0.cdx.json", /"specVersion":"1\.6"/],
      [4, /vulnerability\.report; version=1\.1$/, "library-web-1.0.harbor.json", /"vulnerabilities":\[/],
      [5, /^text\/csv; charset=utf-8/, "library-web-1.0.csv", /^Repository,/],
      [6, /^text\/html; charset=utf-8$/, "library-web-1.0.html", /^<!doctype html>/],
      [7, /^text\/plain; charset=utf-8$/, "library-web-1.0.txt", /; coverage full\n$/],
    ];
    for (const [format, mediaType, fileName, text] of told) {
      const [first, ...rest] = await exported({ subject, format: format as 1 });
      assert.match(first?.mediaType ?? "", mediaType);
      assert.equal(first?.fileName, fileName);
      assert.match([first, ...rest].map((piece) => piece?.text).join(""), text);
      assert.deepEqual(
        rest.filter((piece) => piece.mediaType !== "" || piece.fileName !== ""),
        [],
      );
    }
  });

  test("says what the policies say in each form, and asks them once", async () => {
    const forms = {
      1: /"verdict":\{/,
      2: /"policy":\["fail: it must not run/,
      3: /"drydock:policy","value":"fail: /,
      5: /,fail: it must not run,\r\n/,
      6: /Policy: fail: /,
      7: /^Policy +fail: it must not run\n +held to: production, scan$/m,
    };
    const excepted = { vulnerability: "CVE-2026-1", package: "openssl", version: "1.0-1" };
    for (const [format, words] of Object.entries(forms)) {
      let asked = 0;
      rig.decorator = {
        ...undecorated,
        judge: async (parts) => {
          asked += 1;
          for await (const _ of parts());
          return PolicyVerdict.fromPartial({
            ...{ decision: 2, policies: ["production", "scan"], message: "it must not run" },
            excepted: [
              { ...excepted, reason: "not reachable", createdBy: "security", expiresAt: new Date("2030-01-01") },
            ],
          });
        },
      };
      const pieces = await exported({ subject, format: Number(format) as 1 });
      assert.match(pieces.map(({ text }) => text).join(""), words);
      assert.equal(asked, 1);
    }
    rig.decorator = undecorated;
  });

  test("marks an image as good only when it was held against every rule of its policies", async () => {
    const classOf = async (unjudgedRules: string[]) => {
      const verdict = PolicyVerdict.fromPartial({ decision: 1, policies: ["production"], unjudgedRules });
      rig.decorator = { ...undecorated, judge: async () => verdict };
      const pieces = await exported({ subject, format: 6 });
      return /<section class="(verdict[^"]*)">/.exec(pieces.map(({ text }) => text).join(""))?.[1];
    };
    assert.deepEqual([await classOf([]), await classOf(["fail_on_epss"])], ["verdict pass", "verdict"]);
    rig.decorator = undecorated;
  });

  test("is titled with what it was asked for by, whatever repository was scanned", async () => {
    const { repository, tag } = { repository: "team/copy", tag: "2.0" };
    const [digest = ""] = (await rig.under.reports.newestOfTag("library/web", "1.0")).map((own) => own.digest);
    await rig.under.reports.recordImages([{ repository, digest, tags: [tag] }]);
    const titles = {
      2: /"imageName":"team\/copy:2\.0"/,
      3: /"name":"team\/copy"/,
      5: /^team\/copy,/m,
      6: /<h1>team\/copy:2\.0</,
    };
    for (const [format, words] of Object.entries({ ...titles, 7: /^Image +team\/copy:2\.0$/m })) {
      const pieces = await exported({ subject: { repository, tag }, format: Number(format) as 1 });
      assert.match(pieces.map(({ text }) => text).join(""), words);
      assert.match(pieces[0]?.fileName ?? "", /^team-copy-2\.0\./);
    }
  });

  test("says in each form what is known to be exploited, and how probable that is", async () => {
    rig.decorator = {
      ...undecorated,
      decorate: ({ vulnerabilities }) => {
        for (const own of vulnerabilities) Object.assign(own, { knownExploited: true, epss: 0.974 });
      },
    };
    const forms = {
      1: [/"knownExploited":true/, /"epss":0\.974/],
      2: [/"known-exploited"/, /"epss":0\.974/],
      3: [/"drydock:known-exploited","value":"true"/, /"drydock:epss","value":"0\.974"/],
      4: [/"known_exploited":true/, /"epss":0\.974/],
      5: [/""known_exploited"":true/, /""epss"":0\.974/],
      6: [/>exploited</, /EPSS 97\.4 %/],
      7: [/\(exploited, EPSS 97\.4 %\)/],
    };
    for (const [format, words] of Object.entries(forms)) {
      const pieces = await exported({ subject, format: Number(format) as 1 });
      const text = pieces.map((piece) => piece.text).join("");
      for (const word of words) assert.match(text, word, format);
    }
    rig.decorator = undecorated;
  });

  test("refuses a form that it does not know, a subject that is none, and a report that is not there", async () => {
    const fieldsOf = async (request: Parameters<typeof exported>[0]) =>
      (await refusalOf(exported(request))).violations.map(({ field }) => field);
    assert.deepEqual(await fieldsOf({ subject, format: 8 as 1 }), ["format"]);
    assert.deepEqual(await fieldsOf({}), ["subject.report_id"]);
    const { reason } = await refusalOf(exported({ subject: { digest: digestOf("9") } }));
    assert.equal(reason, "REPORT_NOT_FOUND");
  });

  test("of 20,000 findings holds up nobody, and takes little memory", async () => {
    const { "many findings": report = assert.fail() } = oddReports;
    const reportId = await rig.put(report);
    const begin = process.memoryUsage().rss;
    const turns = watchTurns();
    for (const format of [2, 7] as const) {
      let bytes = 0;
      const request = ExportReportRequest.fromPartial({ subject: { reportId }, format });
      for await (const { text } of serverStreamCall(rig.client, service.exportReport, request, options)) {
        assert.ok(Buffer.byteLength(text) < 64 * 1024);
        bytes += text.length;
      }
      assert.ok(bytes > mebibyte);
    }
    const longest = turns.stop();
    assert.ok(longest < maxTurnMs, `a turn of the event loop took ${longest} ms`);
    const growth = (process.memoryUsage().rss - begin) / mebibyte;
    assert.ok(growth < 300, `memory grew by ${growth} MiB`);
  });

  test("refuses a report with too many entries to keep, and says how it is read", async () => {
    const entries = Array.from({ length: 400_000 }, (_, at) => ({ id: String(at) }));
    const reportId = await rig.put(Report.fromPartial({ artifact: { digest: digestOf("5") }, packages: entries }));
    const { code, reason, message } = await refusalOf(exported({ subject: { reportId } }));
    assert.deepEqual([code, reason], ["RESOURCE_EXHAUSTED", "REPORT_TOO_LARGE"]);
    assert.match(message, /ReportService\/StreamReport/);
  });

  test("that nobody reads on keeps what it holds bounded, and lets it go", async () => {
    const { "many findings": report = assert.fail() } = oddReports;
    const reportId = await rig.put(report);
    const request = ExportReportRequest.fromPartial({ subject: { reportId }, format: 1 });
    const readers = Array.from({ length: 6 }, () =>
      serverStreamCall(rig.client, service.exportReport, request, options),
    );
    const firsts = await Promise.allSettled(readers.map((reader) => reader.next()));
    assert.ok(firsts.some(({ status }) => status === "fulfilled"));
    await Promise.all(readers.map((reader) => reader.return(undefined)));
    assert.ok((await exported({ subject, format: 7 })).length > 0, "others are answered afterwards");
  });
});
