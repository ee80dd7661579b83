import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  CompareReportsRequest,
  type CompareReportsResponse,
  ReportServiceService as service,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { refusalOf } from "../support/refusal.ts";
import { type ReportRig, startReportRig } from "../support/report-rig.ts";
import { digestOf, imageReport, type SampleFinding } from "../support/sample-reports.ts";

const hourMs = 60 * 60 * 1000;
const options = { deadlineMs: 30_000 };

const finding = (number: number, parts: Partial<SampleFinding> = {}): SampleFinding => ({
  vulnerability: `CVE-2026-${number}`,
  package: "openssl",
  ...parts,
});

describe("CompareReports", () => {
  let rig: ReportRig;
  before(async () => {
    rig = await startReportRig();
  });
  after(() => rig.stop());
  beforeEach(async () => {
    await rig.under.redis.flushall();
  });

  const compare = (request: Parameters<typeof CompareReportsRequest.fromPartial>[0]) =>
    unaryCall(rig.client, service.compareReports, CompareReportsRequest.fromPartial(request), options);

  const namesOf = ({ added, gone, unchanged }: CompareReportsResponse) =>
    [added, gone, unchanged].map((list) =>
      list.map(({ vulnerability }) => vulnerability.slice("CVE-2026-".length)).join(),
    );
  const countsOf = ({ addedCount, goneCount, unchangedCount }: CompareReportsResponse) => [
    addedCount,
    goneCount,
    unchangedCount,
  ];

  test("tells what is new, gone and unchanged between two images", async () => {
    await rig.put(imageReport("library/web:1.0", "1", [finding(1), finding(2)]));
    await rig.put(imageReport("library/web:2.0", "2", [finding(2, { version: "2.0-1" }), finding(3, { severity: 6 })]));
    const [base, head] = [{ digest: digestOf("1") }, { repository: "library/web", tag: "2.0" }];
    const brief = await compare({ base, head });
    assert.deepEqual(namesOf(brief), ["3", "1", ""]);
    assert.deepEqual(countsOf(brief), [1, 1, 1]);
    assert.deepEqual([brief.baseCoverage, brief.headCoverage, brief.newImages], [1, 1, 0]);
    assert.equal(
      brief.headline,
      "1 new, 1 gone, 1 unchanged; the worst new one is critical (base looked at in full, head looked at in full)",
    );
    assert.deepEqual([brief.added[0]?.digest, brief.gone[0]?.digest], [digestOf("2"), digestOf("1")]);
    const whole = await compare({ base, head, withUnchanged: true });
    assert.deepEqual(namesOf(whole), ["3", "1", "2"]);
    assert.equal(whole.unchanged[0]?.version, "2.0-1");
  });

  test("finds nothing new or gone between a report and itself", async () => {
    const jobId = await rig.put(imageReport("library/web:1.0", "1", [finding(1)]));
    const same = await compare({ base: { digest: digestOf("1") }, head: { jobId } });
    assert.deepEqual(countsOf(same), [0, 0, 1]);
  });

  test("compares two reports of one image by their ids", async () => {
    const older = await rig.put(imageReport("library/web:1.0", "1", [finding(1)]));
    rig.under.clock.advance(hourMs / 10);
    await rig.put(imageReport("library/web:1.0", "1", [finding(1), finding(2)]));
    const { headline, ...rest } = await compare({ base: { reportId: older }, head: { digest: digestOf("1") } });
    assert.deepEqual(countsOf({ headline, ...rest }), [1, 0, 1]);
  });

  test("calls nothing gone that was not looked at", async () => {
    await rig.put(imageReport("library/web:1.0", "1", [finding(1)]));
    await rig.put(imageReport("library/web:2.0", "2", [], { coverage: 3, coverageNotes: ["no_vulnerability_data"] }));
    const { headline, goneCount, headCoverage } = await compare({
      base: { digest: digestOf("1") },
      head: { digest: digestOf("2") },
    });
    assert.deepEqual([goneCount, headCoverage], [1, 3]);
    assert.doesNotMatch(headline, /\d gone/);
    assert.match(headline, /1 not seen again, which need not be gone.*head not looked at/);
  });

  test("tells what is new in a repository since a time", async () => {
    await rig.put(imageReport("library/web:1.0", "1", [finding(1)]));
    await rig.put(imageReport("library/db:1.0", "3", [finding(9)]));
    const since = new Date(rig.under.clock.now() + 1);
    rig.under.clock.advance(hourMs / 10);
    await rig.put(imageReport("library/web:1.0", "1", [finding(1), finding(2)]));
    await rig.put(imageReport("library/web:2.0", "2", [finding(1), finding(3)]));
    const since1 = await compare({ repository: "library/web", since, withUnchanged: true });
    assert.deepEqual(namesOf(since1), ["2,3", "", "1"]);
    assert.equal(since1.newImages, 1);
    assert.match(since1.headline, /^2 new, 0 gone, 1 unchanged.*; 1 image then, 2 now, 1 of them new\)$/);
    const before = await compare({ repository: "library/web", since: new Date(rig.under.clock.now() - 10 * hourMs) });
    assert.deepEqual([countsOf(before), before.newImages, before.baseCoverage], [[3, 0, 0], 2, 0]);
    assert.equal((await refusalOf(compare({ repository: "library/none" }))).reason, "REPORT_NOT_FOUND");
  });

  test("says the least coverage of a repository's images", async () => {
    await rig.put(imageReport("library/web:1.0", "1", [finding(1)], { coverage: 2 }));
    await rig.put(imageReport("library/web:2.0", "2", [finding(1)]));
    await rig.put(imageReport("library/web:sig", "4", [], { coverage: 4, coverageNotes: ["not_an_image"] }));
    assert.equal((await compare({ repository: "library/web" })).headCoverage, 2);
  });

  test("counts all of two large reports, and lists the worst of them within an answer's size", async () => {
    const many = (from: number) =>
      Array.from({ length: 12_000 }, (_, at) => finding(from + at, { severity: at === 11_999 ? 6 : 3 }));
    await rig.put(imageReport("library/web:1.0", "1", many(0)));
    await rig.put(imageReport("library/web:2.0", "2", many(6_000)));
    const answer = await compare({
      base: { digest: digestOf("1") },
      head: { digest: digestOf("2") },
      withUnchanged: true,
    });
    assert.deepEqual(countsOf(answer), [6_000, 6_000, 6_000]);
    for (const list of [answer.added, answer.gone, answer.unchanged]) assert.equal(list.length, 5_000);
    assert.equal(answer.added[0]?.severity, 6);
  });

  test("refuses what is no comparison", async () => {
    const refused = await refusalOf(compare({ base: { digest: digestOf("1") } }));
    assert.deepEqual([refused.reason, refused.violations[0]?.field], ["FIELD_INVALID", "head"]);
    const none = await refusalOf(compare({ base: { digest: digestOf("1") }, head: { reportId: "1jd5m9q2c00000" } }));
    assert.equal(none.reason, "REPORT_NOT_FOUND");
  });
});
