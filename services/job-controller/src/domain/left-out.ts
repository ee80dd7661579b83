import type { ImagePolicy, PolicyRules } from "./image-policy.ts";
import { type Severity, severities } from "./report-entry.ts";
import type { LeftOut, PolicyReason, PolicyRule } from "./verdict.ts";

/** How many in all. */
export function countLeftOut(leftOut: LeftOut): number {
  return severities.reduce((sum, severity) => sum + (leftOut[severity] ?? 0), 0);
}

/**
 * Why findings that a report does not keep may break policies. Of such nothing is known but the severity: they may have a fix, be
 * exploited, be long known and have no exception.
 */
export function leftOutReasons(leftOut: LeftOut, policies: readonly ImagePolicy[]): PolicyReason[] {
  return policies.flatMap(({ name, rules }) =>
    ruleInDoubt(leftOut, rules).map(({ rule, count }) => {
      const what = count === 1 ? "1 finding that may break" : `${count} findings that may break`;
      const message = `the report's limits left out ${what} ${rule}; scan the image with wider limits`;
      return { policy: name, rule, finding: undefined, message };
    }),
  );
}

/** The rule that most of them may break; none if they keep to all. */
function ruleInDoubt(leftOut: LeftOut, rules: PolicyRules): { rule: PolicyRule; count: number }[] {
  const all = countLeftOut(leftOut);
  const { failOn, unknownAs, failOnKnownExploited, failOnEpss } = rules;
  const failing = failOn === undefined ? [] : severities.slice(severities.indexOf(failOn));
  const counts: [rule: PolicyRule, count: number][] = [
    ["fail_on_known_exploited", failOnKnownExploited ? all : 0],
    ["fail_on_epss", failOnEpss > 0 ? all : 0],
    [
      "fail_on",
      sumOf(
        leftOut,
        failing.filter((severity) => severity !== "UNKNOWN"),
      ) + unknownAsLow(leftOut, rules),
    ],
    ["unknown_as", unknownAs === "FAIL" ? (leftOut.UNKNOWN ?? 0) : 0],
  ];
  return counts
    .filter(([, count]) => count > 0)
    .slice(0, 1)
    .map(([rule, count]) => ({ rule, count }));
}

function unknownAsLow(leftOut: LeftOut, { failOn, unknownAs }: PolicyRules): number {
  const isLow = unknownAs === "LOW" && failOn !== undefined && severities.indexOf(failOn) <= severities.indexOf("LOW");
  return isLow ? (leftOut.UNKNOWN ?? 0) : 0;
}

function sumOf(leftOut: LeftOut, of: readonly Severity[]): number {
  return of.reduce((sum, severity) => sum + (leftOut[severity] ?? 0), 0);
}
