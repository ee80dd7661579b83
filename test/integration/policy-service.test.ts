import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Coverage, PolicyDecision, Severity, UnknownSeverity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import {
  ExportReportRequest,
  ReportFormat,
  ReportServiceService,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { serverStreamCall } from "@drydock/shared/grpc/client.ts";
import { digestOf, type PolicyApi, type PolicyRig, reportOf, startPolicyRig } from "../support/policy-rig.ts";
import { refusalFacts, refusalOf } from "../support/refusal.ts";
import { timed } from "../support/until.ts";

const { SEVERITY_HIGH, SEVERITY_CRITICAL } = Severity;
const web = { repository: "library/web" };
const who = { reason: "behind a firewall", createdBy: "security team" };

describe("the policy service", () => {
  let rig: PolicyRig;
  let api: PolicyApi;
  before(async () => {
    rig = await startPolicyRig();
    api = rig.policies;
    await rig.store(reportOf(1));
  });
  after(() => rig.stop());
  afterEach(async () => {
    for (const { name } of (await api.policies()).policies) await api.delete(name);
    for (const { id } of (await api.exceptions({ pageSize: 1_000, withExpired: true })).exceptions)
      await api.deleteException(id);
  });

  test("lets an image without a report not run, and says how to scan it", async () => {
    const { allowed, message, verdict, reportId } = await api.check({ ...web, tag: "none", platform: "linux/arm64" });
    assert.deepEqual([allowed, verdict, reportId], [false, undefined, ""]);
    assert.match(
      message,
      /launch IMAGE_SCAN with the parameters \{"repository":"library\/web","tag":"none","platform":"linux\/arm64"}/,
    );
    assert.equal((await api.check({ ...web, digest: digestOf(99) })).allowed, false);
  });

  test("lets an image with a report run where no policy holds, and says what the report says", async () => {
    const { allowed, message, verdict, digest, coverage } = await api.check({ ...web, digest: digestOf(1) });
    assert.deepEqual([allowed, verdict, digest, coverage], [true, undefined, digestOf(1), Coverage.COVERAGE_FULL]);
    assert.equal(message, "no policy holds for library/web; the newest report says: 3 vulnerabilities");
  });

  test("lets no image run that breaks a policy for its repository, by tag as by digest", async () => {
    await api.put({ name: "production", repository: "library/*", rules: { failOn: SEVERITY_HIGH } });
    await api.put({ name: "other", repository: "team/**", rules: { failOn: Severity.SEVERITY_LOW } });
    for (const image of [{ digest: digestOf(1) }, { tag: "1" }]) {
      const { allowed, verdict, message } = await api.check({ ...web, ...image });
      assert.equal(allowed, false);
      assert.deepEqual(verdict?.policies, ["production"]);
      assert.equal(verdict?.decision, PolicyDecision.POLICY_DECISION_FAIL);
      const reasons = verdict?.reasons.map(({ rule, vulnerability, package: name, severity }) => [
        rule,
        vulnerability,
        name,
        severity,
      ]);
      assert.deepEqual(reasons, [
        ["fail_on", "CVE-2014-6271", "bash", SEVERITY_CRITICAL],
        ["fail_on", "CVE-2014-0160", "openssl", SEVERITY_HIGH],
      ]);
      assert.match(
        message,
        /breaks policy production: CVE-2014-6271 in bash 1\.0 is CRITICAL; fixed in 4\.2.*, and 1 more reason \(3 findings; all of the image was looked at\)$/,
      );
    }
    assert.equal((await api.check({ repository: "elsewhere/web", digest: digestOf(1) })).allowed, true);
  });

  test("passes over what is excepted, from the next call on, and says why", async () => {
    await api.put({ name: "production", rules: { failOn: SEVERITY_HIGH } });
    const check = async () => (await api.check({ ...web, digest: digestOf(1) })).allowed;
    assert.equal(await check(), false);
    const bash = await api.except({
      vulnerability: "CVE-2014-6271",
      package: "bash",
      repository: "library/**",
      ...who,
    });
    await api.except({
      vulnerability: "CVE-2014-0160",
      digest: digestOf(1),
      expiresAt: new Date(Date.now() + 60_000),
      ...who,
    });
    const { allowed, verdict } = await api.check({ ...web, digest: digestOf(1) });
    assert.deepEqual([allowed, verdict?.exceptedCount], [true, 2]);
    const { exceptionId, reason } = verdict?.excepted[0] ?? assert.fail();
    assert.deepEqual([exceptionId, reason], [bash.id, who.reason]);
    await api.deleteException(bash.id);
    assert.equal(await check(), false);
  });

  test("heeds a policy of another controller within a second", async () => {
    const other = await rig.startAnother();
    await other.check({ ...web, digest: digestOf(1) });
    await api.put({ name: "production", rules: { failOn: SEVERITY_HIGH } });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal((await other.check({ ...web, digest: digestOf(1) })).allowed, false);
    assert.deepEqual(
      (await other.policies()).policies.map(({ name }) => name),
      ["production"],
    );
    await other.delete("production");
    assert.deepEqual((await api.policies()).policies, [], "lists have every change");
  });

  test("knows what is exploited, by the files of the operator", async () => {
    await api.put({ name: "exploited", rules: { failOnKnownExploited: true, failOnEpss: 0.9 } });
    const { verdict } = await api.check({ ...web, digest: digestOf(1) });
    assert.deepEqual(
      verdict?.reasons.map(({ rule, message }) => [rule, message]),
      [
        ["fail_on_known_exploited", "CVE-2014-6271 in bash 1.0 is known to be exploited; fixed in 4.2+dfsg-0.1+deb7u1"],
        [
          "fail_on_epss",
          "CVE-2014-0160 in openssl 1.0 is exploited within 30 days with a probability of 0.94464; fixed in 1.0.1e-2+deb7u5",
        ],
      ],
    );
    const { dataFiles } = await rig.rig.api.status();
    assert.deepEqual(
      dataFiles.map(({ setting, entryCount, version, fault }) => [setting, entryCount, version, fault]),
      [
        ["DRYDOCK_KEV_FILE", 1, "1", ""],
        ["DRYDOCK_EPSS_FILE", 2, "score_date:2026-11-30", ""],
      ],
    );
  });

  test("waits the days of grace from when a scan first found it with its fix, in whatever image", async () => {
    const days = (count: number) => new Date(Date.now() - count * 86_400_000);
    const findings = (cve: string) => [[cve, "curl", SEVERITY_HIGH, "2.0"] as [string, string, Severity, string]];
    await rig.store(reportOf(20, findings("CVE-2020-0001"), { generatedAt: days(8) }));
    await rig.store(reportOf(21, findings("CVE-2020-0001")));
    await rig.store(reportOf(22, findings("CVE-2020-0002")));
    await api.put({ name: "patient", rules: { failOn: SEVERITY_HIGH, graceDays: 7 } });
    assert.equal((await api.check({ ...web, digest: digestOf(21) })).allowed, false);
    assert.equal((await api.check({ ...web, digest: digestOf(22) })).allowed, true);
  });

  test("holds a scan's own policy against its report", async () => {
    await rig.store(
      reportOf(2, undefined, {
        policy: { failOn: SEVERITY_CRITICAL, unknownAs: UnknownSeverity.UNKNOWN_SEVERITY_IGNORE },
      }),
    );
    const { allowed, verdict } = await api.check({ ...web, digest: digestOf(2) });
    assert.deepEqual([allowed, verdict?.policies, verdict?.reasonCount], [false, ["scan"], 1]);
  });

  test("says of a report that is not FULL what was not looked at, and fails it where that is asked for", async () => {
    await rig.store(reportOf(3, [], { coverage: Coverage.COVERAGE_PARTIAL, coverageNotes: ["unsupported_layer"] }));
    await api.put({ name: "production", rules: { failOn: SEVERITY_HIGH } });
    const lax = await api.check({ ...web, digest: digestOf(3) });
    assert.equal(lax.allowed, true);
    assert.match(
      lax.message,
      /not known to break policy production, but only a part of the image was looked at \(unsupported_layer\)/,
    );
    await api.put({ name: "production", rules: { failOn: SEVERITY_HIGH, requireFullCoverage: true } });
    const strict = await api.check({ ...web, digest: digestOf(3) });
    assert.deepEqual([strict.allowed, strict.verdict?.reasons[0]?.rule], [false, "require_full_coverage"]);
  });

  test("has its verdict in reports, however they are read, and never in what is stored", async () => {
    const jobId = await rig.store(reportOf(4, undefined, { verdict: { message: "made up" } }));
    assert.equal((await rig.rig.api.reportOf(jobId)).verdict, undefined);
    await api.put({ name: "production", rules: { failOn: SEVERITY_HIGH } });
    const report = await rig.rig.api.reportOf(jobId);
    assert.equal(report.verdict?.reasonCount, 2);
    const known = report.vulnerabilities.map(({ name, knownExploited, epss }) => [name, knownExploited, epss]);
    assert.deepEqual(known, [
      ["CVE-2014-0160", false, 0.94464],
      ["CVE-2014-6271", true, 0],
      ["CVE-2000-0001", false, 0.5],
    ]);
    assert.deepEqual(
      report.findings.map(({ vulnerabilityKey }) => vulnerabilityKey),
      ["v0", "v1", "v2"],
    );
    const parts = await Array.fromAsync(rig.rig.api.reportParts(jobId));
    assert.deepEqual(parts.at(-1)?.verdict, report.verdict);
    const request = ExportReportRequest.fromPartial({ subject: { jobId }, format: ReportFormat.REPORT_FORMAT_JSON });
    const pieces = await Array.fromAsync(
      serverStreamCall(rig.rig.api.client, ReportServiceService.exportReport, request, { deadlineMs: 5_000 }),
    );
    const exported = JSON.parse(pieces.map(({ text }) => text).join(""));
    assert.equal(exported.verdict.message, report.verdict?.message);
  });

  test("names each field that breaks its rule", async () => {
    const facts = await refusalFacts(
      api.put({
        name: "scan",
        repository: "a b",
        rules: { graceDays: -1, failOnEpss: 2, failOn: Severity.SEVERITY_UNKNOWN },
      }),
    );
    assert.deepEqual(facts, [
      "INVALID_ARGUMENT",
      "FIELD_INVALID",
      "policy.name",
      "policy.repository",
      "policy.rules.fail_on",
      "policy.rules.grace_days",
      "policy.rules.fail_on_epss",
    ]);
    assert.deepEqual((await refusalFacts(api.put({ name: "", rules: {} }))).slice(2), ["policy.name", "policy.rules"]);
    const exception = { vulnerability: "", version: "1", digest: "sha256:1", expiresAt: new Date(0) };
    assert.deepEqual((await refusalFacts(api.except(exception))).slice(2), [
      ...["vulnerability", "version", "digest", "reason", "created_by", "expires_at"].map(
        (field) => `exception.${field}`,
      ),
    ]);
    assert.deepEqual((await refusalFacts(api.check({ tag: "1" }))).slice(2), ["repository"]);
    assert.deepEqual((await refusalFacts(api.check({ repository: "library/web" }))).slice(2), ["tag"]);
    assert.deepEqual((await refusalFacts(api.importVex("{}", "a b"))).slice(2), ["repository"]);
    assert.deepEqual((await refusalFacts(api.exceptions({ pageToken: "x" }))).slice(2), ["page_token"]);
    assert.deepEqual(await refusalFacts(api.delete("none")), ["NOT_FOUND", "POLICY_NOT_FOUND"]);
    assert.deepEqual(await refusalFacts(api.deleteException("x".repeat(22))), ["NOT_FOUND", "EXCEPTION_NOT_FOUND"]);
  });

  test("lists exceptions in pages, by vulnerability, repository and whether they hold", async () => {
    const soon = new Date(Date.now() + 300);
    for (let at = 0; at < 7; at++)
      await api.except({ vulnerability: `CVE-2020-${1_000 + at}`, repository: "team/*", ...who });
    await api.except({ vulnerability: "CVE-2020-1000", repository: "library/*", ...who });
    await api.except({ vulnerability: "CVE-2020-1000", repository: "library/web", expiresAt: soon, ...who });
    const all: string[] = [];
    let pageToken = "";
    do {
      const page = await api.exceptions({ repository: "team/a", pageSize: 3, pageToken });
      all.push(...page.exceptions.map(({ vulnerability }) => vulnerability));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(
      all,
      [...Array(7).keys()].map((at) => `CVE-2020-${1_006 - at}`),
    );
    await new Promise((resolve) => setTimeout(resolve, 350));
    const ofWeb = { vulnerability: "CVE-2020-1000", repository: "library/web" };
    assert.equal((await api.exceptions(ofWeb)).exceptions.length, 1);
    assert.equal((await api.exceptions({ ...ofWeb, withExpired: true })).exceptions.length, 2);
  });

  test("answers for a report of 60 findings within 20 ms, as a rule", async (context) => {
    const findings = Array.from(
      { length: 60 },
      (_, at) => [`CVE-2022-${1_000 + at}`, `p${at}`, SEVERITY_HIGH, "2"] as [string, string, Severity, string],
    );
    await rig.store(reportOf(60, findings));
    await api.put({ name: "production", rules: { failOn: SEVERITY_CRITICAL, graceDays: 30 } });
    for (let at = 0; at < 1_000; at++)
      await api.except({ vulnerability: `CVE-2022-${1_000 + at}`, repository: "team/**", ...who });
    const times: number[] = [];
    for (let at = 0; at < 300; at++) times.push(await timed(api.check({ ...web, digest: digestOf(60) })));
    const [p50 = 0, p99 = 0] = [0.5, 0.99].map(
      (part) => times.toSorted((a, b) => a - b)[Math.floor(part * times.length)],
    );
    context.diagnostic(`p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
    // other tests take the processor from it
    assert.ok(p50 < 20, `${p50} ms`);
  });
});

describe("an OpenVEX document", () => {
  let rig: PolicyRig;
  let api: PolicyApi;
  before(async () => {
    rig = await startPolicyRig();
    api = rig.policies;
    await rig.store(reportOf(1));
  });
  after(() => rig.stop());

  const document = (...statements: object[]) => ({
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.com/vex/1",
    author: "Example Security",
    timestamp: "2026-11-30T12:00:00Z",
    version: 1,
    statements,
  });
  const notAffected = {
    vulnerability: { name: "CVE-2014-6271" },
    products: [
      {
        "@id": `pkg:oci/web@${encodeURIComponent(digestOf(1))}`,
        subcomponents: [{ "@id": "pkg:deb/debian/bash@1.0" }],
      },
    ],
    status: "not_affected",
    justification: "vulnerable_code_not_in_execute_path",
  };
  const fixed = {
    vulnerability: { name: "GHSA-0000", aliases: ["CVE-2014-0160"] },
    products: [{ "@id": "pkg:oci/web?repository_url=registry.example/library/web&tag=1" }],
    status: "fixed",
  };

  test("makes exceptions that hold, and the same again makes none", async () => {
    await api.put({ name: "production", rules: { failOn: SEVERITY_HIGH } });
    const first = await api.importVex(document(notAffected, fixed));
    assert.deepEqual([first.exceptionCount, first.knownCount, first.skipped], [2, 0, []]);
    const scopes = first.exceptions.map(({ vulnerability, package: name, version, digest, reason, createdBy }) => [
      vulnerability,
      name,
      version,
      digest,
      reason,
      createdBy,
    ]);
    assert.deepEqual(scopes.sort(), [
      ["CVE-2014-0160", "", "", digestOf(1), "fixed", "Example Security"],
      [
        "CVE-2014-6271",
        "bash",
        "1.0",
        digestOf(1),
        "not_affected: vulnerable_code_not_in_execute_path",
        "Example Security",
      ],
    ]);
    assert.equal((await api.check({ ...web, digest: digestOf(1) })).allowed, true);
    const again = await api.importVex(document(notAffected, fixed));
    assert.deepEqual([again.exceptionCount, again.knownCount], [0, 2]);
  });

  test("says what makes no exception", async () => {
    const affected = { ...notAffected, status: "affected", action_statement: "update" };
    const unknownTag = { ...fixed, products: ["pkg:oci/web?repository_url=library/web&tag=none"] };
    const everywhere = { ...fixed, products: ["pkg:deb/debian/openssl"] };
    const { exceptionCount, skipped, skippedCount } = await api.importVex(document(affected, unknownTag, everywhere));
    assert.deepEqual([exceptionCount, skippedCount], [0, 3]);
    assert.match(skipped.join("\n"), /says affected/);
    assert.match(skipped.join("\n"), /library\/web:none was not scanned/);
    assert.match(skipped.join("\n"), /says fixed without a version, tag or digest/);
  });

  test("that is none is refused with words", async () => {
    const faults: [document: object | string, words: RegExp][] = [
      ["{", /document must be JSON/],
      [{ statements: [] }, /must be an OpenVEX document .*@context/],
      [document({ ...notAffected, products: 1 }), /statements\.0\.products/],
      [document({ ...notAffected, timestamp: "yesterday" }), /statements\.0\.timestamp/],
      ["[".repeat(500_000), /document must be JSON/],
      [" ".repeat(1024 * 1024 + 1), /must not be larger than 1048576 bytes/],
      [document(...Array(5_001).fill({ vulnerability: "CVE-1", status: "fixed" })), /statements: /],
      [document({ ...notAffected, products: Array(20_001).fill("p") }), /at most 20000 products/],
      [
        document({ ...notAffected, products: Array.from({ length: 5_001 }, (_, at) => digestOf(at)) }),
        /would make 5001 exceptions/,
      ],
    ];
    for (const [text, words] of faults) assert.match((await refusalOf(api.importVex(text))).message, words);
  });
});
