import type { Severity } from "./severity.ts";

/** How findings of UNKNOWN severity count for a policy. */
export type UnknownSeverity = "IGNORE" | "LOW" | "FAIL";

/** What an image must keep to (drydock.report.v1.PolicyRules). The controller decides whether it does. */
export interface PolicyRules {
  /** The least severity that fails; absent: no severity does. */
  readonly failOn?: Severity | undefined;
  /** Whether findings without a fix are passed over. Default false. */
  readonly fixableOnly?: boolean | undefined;
  /** Default IGNORE. */
  readonly unknownAs?: UnknownSeverity | undefined;
  /** How many days a finding is passed over after its fix came out, up to 3,650. Default 0. */
  readonly graceDays?: number | undefined;
  /** Whether a vulnerability that is known to be exploited fails whatever its severity. Default false. */
  readonly failOnKnownExploited?: boolean | undefined;
  /** The least probability of exploitation that fails, from 0 to 1; 0, the default, is none. */
  readonly failOnEpss?: number | undefined;
  /** Whether a report whose coverage is not FULL fails. Default false. */
  readonly requireFullCoverage?: boolean | undefined;
}
