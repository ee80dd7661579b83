import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { CheckImageRequest, Exception, Policy } from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { PolicyRules, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import fc from "fast-check";
import { vulnerabilityName } from "../domain/vulnerability-name.ts";
import { toExceptionMessage, toPolicyMessage } from "./convert-policy.ts";
import { validateCheckImage, validateException, validatePolicy } from "./validate-policy.ts";

/** The fields that the call refuses; empty when it takes them. */
function refused(call: () => unknown): string[] {
  try {
    call();
    return [];
  } catch (error) {
    assert.ok(error instanceof ReasonedError && error.reason === "FIELD_INVALID", String(error));
    return error.facts.violations?.map(({ field }) => field) ?? [];
  }
}

describe("what is asked of the policy service", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("library/*", "library/web", "CVE-2024-1000", `sha256:${"a".repeat(64)}`),
  );
  const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, 0.5, 7));

  test("is taken or refused by its fields, whatever it is", () => {
    const rules = fc.record({
      failOn: fc.integer({ min: -1, max: 8 }),
      fixableOnly: fc.boolean(),
      unknownAs: fc.integer({ min: -1, max: 5 }),
      graceDays: fc.integer(),
      failOnKnownExploited: fc.boolean(),
      failOnEpss: number,
      requireFullCoverage: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.record({ name: text, repository: text, rules }), ({ name, repository, rules }) => {
        const policy = Policy.fromPartial({ name, repository, rules: PolicyRules.fromPartial(rules as object) });
        const fields = refused(() => {
          const taken = validatePolicy(policy);
          assert.deepEqual(Policy.encode(toPolicyMessage({ ...taken, updatedAt: 1 })).finish().length > 0, true);
          assert.ok(taken.rules.failOnEpss >= 0 && taken.rules.failOnEpss <= 1);
        });
        assert.ok(fields.every((field) => field.startsWith("policy.")));
      }),
    );
  });

  test("of an exception is kept as it was given", () => {
    const exception = fc.record({
      ...{
        vulnerability: text,
        package: text,
        version: text,
        repository: text,
        digest: text,
        reason: text,
        createdBy: text,
      },
      expiresAt: fc.option(fc.date(), { nil: undefined }),
    });
    fc.assert(
      fc.property(exception, (given) => {
        const fields = refused(() => {
          const taken = validateException(Exception.fromPartial(given), 1_000);
          const shown = toExceptionMessage({ ...taken, id: "x", createdAt: 1 });
          assert.deepEqual(
            [shown.vulnerability, shown.repository, shown.digest],
            [vulnerabilityName(given.vulnerability), given.repository, given.digest],
          );
          assert.ok(taken.expiresAt === 0 || taken.expiresAt > 1_000);
          assert.equal(typeof fitsGlob(taken.repository, "library/web"), "boolean");
        });
        assert.ok(fields.every((field) => field.startsWith("exception.")));
      }),
    );
  });

  test("names an image by repository and tag, or by digest", () => {
    const fieldsOf = (image: object) => refused(() => validateCheckImage(CheckImageRequest.fromPartial(image)));
    assert.deepEqual(fieldsOf({ repository: "library/web", tag: "1.0" }), []);
    assert.deepEqual(fieldsOf({ repository: "library/web", digest: `sha256:${"a".repeat(64)}`, tag: "1.0" }), []);
    assert.deepEqual(fieldsOf({ repository: "library/web" }), ["tag"]);
    assert.deepEqual(fieldsOf({ tag: "1.0" }), ["repository"]);
    assert.deepEqual(fieldsOf({ repository: "library/web", tag: "1.0", platform: "amd64" }), ["platform"]);
    assert.deepEqual(fieldsOf({ repository: "library/web", digest: "sha256:1" }), ["digest"]);
  });

  test("needs a rule that can fail", () => {
    const fieldsOf = (rules: object) =>
      refused(() => validatePolicy(Policy.fromPartial({ name: "p", rules: PolicyRules.fromPartial(rules) })));
    assert.deepEqual(fieldsOf({ fixableOnly: true, graceDays: 7 }), ["policy.rules"]);
    assert.deepEqual(fieldsOf({ requireFullCoverage: true }), []);
    assert.deepEqual(fieldsOf({ failOn: Severity.SEVERITY_LOW }), []);
  });
});
