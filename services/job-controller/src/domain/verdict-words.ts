import { countLeftOut } from "./left-out.ts";
import type { JudgedFinding, JudgedImage, PolicyRule, Verdict } from "./verdict.ts";

/** How many policies a line names. */
const namedPolicies = 5;

/** How much of the image was looked at, e.g. "all of the image was looked at". */
export function coverageClause({ coverage, coverageNotes }: Pick<JudgedImage, "coverage" | "coverageNotes">): string {
  const notes = coverageNotes.length === 0 ? "" : ` (${coverageNotes.join(", ")})`;
  switch (coverage) {
    case "FULL":
      return "all of the image was looked at";
    case "PARTIAL":
      if (coverageNotes.every((note) => note === "findings_left_out") && coverageNotes.length > 0)
        return "the report keeps only a part of what was found";
      return `only a part of the image was looked at${notes}`;
    case "UNSUPPORTED":
      return `nothing of the image could be held against vulnerability data${notes}`;
    case "NOT_AN_IMAGE":
      return `it is not an image${notes}`;
  }
}

/** What breaks a rule, for people. */
export function describeReason(rule: PolicyRule, finding: JudgedFinding): string {
  const { vulnerability, package: name, version, fixedVersion, epss, severity } = finding;
  const what: Record<PolicyRule, string> = {
    fail_on_known_exploited: "is known to be exploited",
    fail_on_epss: `is exploited within 30 days with a probability of ${epss}`,
    fail_on: `is ${severity}`,
    unknown_as: "is of unknown severity",
    require_full_coverage: "",
  };
  const fix = fixedVersion === "" ? "no fix is known" : `fixed in ${fixedVersion}`;
  return `${vulnerability} in ${[name, version].filter(Boolean).join(" ")} ${what[rule]}; ${fix}`;
}

/** The decision in a line. Never says that an image is fine of which not all was looked at, or asked. */
export function describeVerdict(verdict: Omit<Verdict, "message">, image: JudgedImage): string {
  const { passes, reasons, reasonCount, exceptedCount, policies, unjudgedRules } = verdict;
  const excepted = exceptedCount === 0 ? "" : `, ${exceptedCount} excepted`;
  const leftOut = countLeftOut(image.leftOut);
  const unkept = leftOut === 0 ? "" : `, ${leftOut} left out of the report`;
  const unknowns =
    image.findings.filter(({ severity }) => severity === "UNKNOWN").length + (image.leftOut.UNKNOWN ?? 0);
  const unknown = unknowns === 0 ? "" : `, ${unknowns} of unknown severity`;
  const findings = `${counted(image.findings.length + leftOut, "finding")}${unknown}${excepted}${unkept}`;
  const coverage = coverageClause(image);
  const untold = unjudgedRules.length === 0 ? [] : [`no data file was read for ${unjudgedRules.join(" and ")}`];
  if (!passes) {
    const more = reasonCount === 1 ? "" : `, and ${counted(reasonCount - 1, "more reason")}`;
    const broken = namesOf([...new Set(reasons.map(({ policy }) => policy))]);
    return `breaks ${broken}: ${reasons[0]?.message}${more} (${[findings, coverage, ...untold].join("; ")})`;
  }
  if (image.coverage !== "FULL")
    return `is not known to break ${namesOf(policies)}, but ${[coverage, ...untold].join(", and ")} (${findings})`;
  if (untold.length === 0) return `keeps to ${namesOf(policies)} (${findings}; ${coverage})`;
  return `is not known to break ${namesOf(policies)}, but ${untold[0]} (${findings}; ${coverage})`;
}

function namesOf(policies: readonly string[]): string {
  const rest = policies.length - namedPolicies;
  const named = policies.slice(0, namedPolicies).join(", ");
  return `${policies.length === 1 ? "policy" : "policies"} ${named}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
