import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import type { Severity } from "./report-entry.ts";

/** How findings of severity UNKNOWN count: never, as LOW, or they fail. */
export type UnknownSeverity = "IGNORE" | "LOW" | "FAIL";

/** What an image must keep to. */
export interface PolicyRules {
  /** The least severity that fails; undefined: none does. */
  readonly failOn: Severity | undefined;
  /** Whether findings without a fix are passed over, whatever the other rules. */
  readonly fixableOnly: boolean;
  readonly unknownAs: UnknownSeverity;
  /** How many days a finding is passed over after it was first found with its fix, whatever the other rules. */
  readonly graceDays: number;
  /** Whether a vulnerability that is known to be exploited fails whatever its severity. */
  readonly failOnKnownExploited: boolean;
  /** The least probability of exploitation, from 0 to 1, that fails; 0: none does. */
  readonly failOnEpss: number;
  /** Whether a report whose coverage is not FULL fails. */
  readonly requireFullCoverage: boolean;
}

/** A policy for repositories. */
export interface ImagePolicy {
  readonly name: string;
  /** A glob (repository-glob.ts); empty is all. */
  readonly repository: string;
  readonly rules: PolicyRules;
  /** In milliseconds since 1970. */
  readonly updatedAt: number;
}

/** The name of the policy that a scan's own parameters give; no stored one has it. */
export const scanPolicyName = "scan";

/** The policies that hold for the repository, by name. */
export function policiesFor(policies: readonly ImagePolicy[], repository: string): ImagePolicy[] {
  const fitting = policies.filter((policy) => fitsGlob(policy.repository, repository));
  return fitting.sort((a, b) => (a.name < b.name ? -1 : 1));
}
