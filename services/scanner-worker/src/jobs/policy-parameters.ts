import { z } from "zod";
import type { PolicyRules } from "../domain/policy.ts";
import { inAnyCase, severityParameter, upper } from "./severity-parameter.ts";

/** What an image must keep to, as scans take it: the fields of drydock.report.v1.PolicyRules. */
export const policyParameters = z
  .strictObject({
    fail_on: severityParameter.optional().describe("The least severity that fails. Default: none does."),
    fixable_only: z.boolean().optional().describe("Whether findings without a fix are passed over. Default false."),
    unknown_as: inAnyCase(["ignore", "low", "fail"])
      .optional()
      .describe("How findings of unknown severity count. Default ignore."),
    grace_days: z
      .int()
      .min(0)
      .max(3_650)
      .optional()
      .describe("How many days a finding is passed over after its fix came out. Default 0."),
    fail_on_known_exploited: z
      .boolean()
      .optional()
      .describe("Whether a vulnerability that is known to be exploited fails whatever its severity. Default false."),
    fail_on_epss: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe("The least probability of exploitation that fails. Default 0, which is none."),
    require_full_coverage: z
      .boolean()
      .optional()
      .describe("Whether a report whose coverage is not FULL fails. Default false."),
  })
  .describe("What the image must keep to; the report says whether it does.");

/** A policy as parameters have it. */
export type PolicyParameters = z.infer<typeof policyParameters>;

/** The policy that parameters name. */
export function toPolicy(given: PolicyParameters): PolicyRules {
  return {
    failOn: given.fail_on && upper(given.fail_on),
    fixableOnly: given.fixable_only,
    unknownAs: given.unknown_as && upper(given.unknown_as),
    graceDays: given.grace_days,
    failOnKnownExploited: given.fail_on_known_exploited,
    failOnEpss: given.fail_on_epss,
    requireFullCoverage: given.require_full_coverage,
  };
}

/** The parameters that name the policy. */
export function toPolicyParameters(policy: PolicyRules): PolicyParameters {
  return {
    fail_on: policy.failOn,
    fixable_only: policy.fixableOnly,
    unknown_as: policy.unknownAs,
    grace_days: policy.graceDays,
    fail_on_known_exploited: policy.failOnKnownExploited,
    fail_on_epss: policy.failOnEpss,
    require_full_coverage: policy.requireFullCoverage,
  };
}
