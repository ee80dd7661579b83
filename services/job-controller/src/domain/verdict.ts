import type { ImageName, PolicyException } from "./policy-exception.ts";
import type { Coverage, IndexedFinding, Severity } from "./report-entry.ts";

/** How many findings a report does not keep, by severity. */
export type LeftOut = Partial<Readonly<Record<Severity, number>>>;

/** A finding, with what policies ask about it. */
export interface JudgedFinding extends IndexedFinding {
  readonly knownExploited: boolean;
  /** The probability of exploitation, from 0 to 1; 0 if unknown. */
  readonly epss: number;
  /** When a scan first found it with this fix, in milliseconds since 1970; 0: longer ago than any grace. */
  readonly firstFoundAt: number;
}

/** An image and what its report says. */
export interface JudgedImage extends ImageName {
  readonly coverage: Coverage;
  readonly coverageNotes: readonly string[];
  readonly findings: readonly JudgedFinding[];
  /** How many more there are that the report does not keep. */
  readonly leftOut: LeftOut;
}

/** The rules that a report can break, as the contract's fields. */
export type PolicyRule =
  | "require_full_coverage"
  | "fail_on_known_exploited"
  | "fail_on_epss"
  | "fail_on"
  | "unknown_as";

/** Why an image breaks a policy. */
export interface PolicyReason {
  readonly policy: string;
  readonly rule: PolicyRule;
  /** For people. */
  readonly message: string;
  /** The finding that breaks it; undefined when it is the coverage, or what the report does not keep. */
  readonly finding: JudgedFinding | undefined;
}

/** A finding that an exception passes over. */
export interface ExceptedFinding {
  readonly finding: JudgedFinding;
  readonly exception: PolicyException;
}

/** What the policies say of an image, and why. */
export interface Verdict {
  readonly passes: boolean;
  /** The worst first; at most `maxShown`. */
  readonly reasons: readonly PolicyReason[];
  readonly reasonCount: number;
  /** At most `maxShown`. */
  readonly excepted: readonly ExceptedFinding[];
  readonly exceptedCount: number;
  /** The names of the policies. */
  readonly policies: readonly string[];
  /** The rules of the policies that fail nothing, as no data file tells what they go by; none without findings. */
  readonly unjudgedRules: readonly PolicyRule[];
  /** The decision in a line for people, with what the scanner could not look at. */
  readonly message: string;
}
