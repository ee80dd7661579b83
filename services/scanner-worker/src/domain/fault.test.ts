import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rulingOf } from "./fault.ts";
import { JobFailure } from "./job-failure.ts";

describe("whose fault a failure is", () => {
  for (const [reason, fault, closesType] of [
    ["MANIFEST_UNKNOWN", "job", false],
    ["ACCESS_DENIED", "worker", false],
    ["REGISTRY_REDIRECT_REFUSED", "worker", true],
    ["toString", "job", false],
    ["REGISTRY_FAULT", "outside", false],
    ["SCANNER_FAULT", "outside", false],
    ["REGISTRY_UNREACHABLE", "outside", true],
    ["REGISTRY_RATE_LIMITED", "outside", true],
    ["SCANNER_TIMEOUT", "outside", true],
    ["REGISTRY_AUTH_REJECTED", "worker", true],
    ["SCANNER_TLS_INVALID", "worker", true],
  ] as const) {
    test(`${reason} is the ${fault}'s${closesType ? ", and concerns all jobs of the type" : ""}`, () => {
      assert.deepEqual(rulingOf(reason), { fault, closesType });
      const failure = new JobFailure(reason, "", { retryable: true });
      assert.deepEqual([failure.fault, failure.closesType], [fault, closesType]);
    });
  }

  test("may be said by who knows better, and then concerns this job alone, unless it is the worker's or says otherwise", () => {
    const told = (hints: Partial<ConstructorParameters<typeof JobFailure>[2]>) => {
      const { fault, closesType } = new JobFailure("SCANNER_TIMEOUT", "", { retryable: true, ...hints });
      return [fault, closesType];
    };
    assert.deepEqual(told({ fault: "job" }), ["job", false]);
    assert.deepEqual(told({ fault: "outside", closesType: false }), ["outside", false]);
    assert.deepEqual(told({ closesType: false }), ["outside", false]);
    assert.deepEqual(told({ fault: "worker" }), ["worker", true]);
    assert.deepEqual(told({ fault: "worker", closesType: false }), ["worker", false]);
  });
});
