import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { digestOf, type PolicyApi, type PolicyRig, reportOf, startPolicyRig } from "../support/policy-rig.ts";
import { refusalFacts } from "../support/refusal.ts";

const { SEVERITY_HIGH } = Severity;
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
});
