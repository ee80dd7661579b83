import type { ImagePolicy, PolicyRules } from "./image-policy.ts";
import { leftOutReasons } from "./left-out.ts";
import { type ExceptionIndex, ExceptionsOfImage } from "./policy-exception.ts";
import { type Severity, severities } from "./report-entry.ts";
import type { ExceptedFinding, JudgedFinding, JudgedImage, PolicyReason, PolicyRule, Verdict } from "./verdict.ts";
import { coverageClause, describeReason, describeVerdict } from "./verdict-words.ts";

/** By what an image is judged. */
export interface Judgement {
  /** Those that hold for the image's repository. */
  readonly policies: readonly ImagePolicy[];
  readonly exceptions: ExceptionIndex;
  /** Which facts of exploitation are told; without one its rule fails nothing. */
  readonly told: { readonly knownExploited: boolean; readonly epss: boolean };
  /** In milliseconds since 1970. */
  readonly now: number;
}

/** How many reasons and how many excepted findings a verdict shows. */
export const maxShown = 100;

const dayMs = 86_400_000;
const rankOf = new Map<Severity, number>(severities.map((severity, rank) => [severity, rank]));

/** Judges an image. The order of findings and policies changes nothing. */
export function judge(image: JudgedImage, { policies, exceptions, told, now }: Judgement): Verdict {
  const inOrder = policies.toSorted((a, b) => compareText(a.name, b.name));
  const ofImage = new ExceptionsOfImage(exceptions, image, now);
  const reasons = new Shown([...coverageReasons(image, inOrder), ...leftOutReasons(image.leftOut, inOrder)]);
  const excepted = new Shown<ExceptedFinding>();
  for (const finding of image.findings.toSorted(compareFindings)) {
    const exception = ofImage.find(finding.vulnerability, finding.package, finding.version);
    if (exception !== undefined) {
      excepted.add(() => ({ finding, exception }));
      continue;
    }
    for (const { name, rules } of inOrder) {
      const rule = brokenRule(finding, rules, now);
      if (rule === undefined) continue;
      reasons.add(() => ({ policy: name, rule, finding, message: describeReason(rule, finding) }));
    }
  }
  const verdict = {
    passes: reasons.count === 0,
    ...{ reasons: reasons.all, reasonCount: reasons.count, excepted: excepted.all, exceptedCount: excepted.count },
    policies: inOrder.map(({ name }) => name),
    unjudgedRules: image.findings.length === 0 ? [] : unjudgedRules(policies, told),
  };
  return { ...verdict, message: describeVerdict(verdict, image) };
}

function unjudgedRules(policies: readonly ImagePolicy[], told: Judgement["told"]): PolicyRule[] {
  const asks = (rule: (rules: PolicyRules) => boolean) => policies.some(({ rules }) => rule(rules));
  const unjudged: PolicyRule[] = [];
  if (!told.knownExploited && asks((rules) => rules.failOnKnownExploited)) unjudged.push("fail_on_known_exploited");
  if (!told.epss && asks((rules) => rules.failOnEpss > 0)) unjudged.push("fail_on_epss");
  return unjudged;
}

/** The rule that the finding breaks first; undefined when it breaks none. */
function brokenRule(finding: JudgedFinding, rules: PolicyRules, now: number): PolicyRule | undefined {
  if (rules.fixableOnly && finding.fixedVersion === "") return undefined;
  if (rules.graceDays > 0 && now < finding.firstFoundAt + rules.graceDays * dayMs) return undefined;
  if (rules.failOnKnownExploited && finding.knownExploited) return "fail_on_known_exploited";
  if (rules.failOnEpss > 0 && finding.epss >= rules.failOnEpss) return "fail_on_epss";
  if (finding.severity === "UNKNOWN" && rules.unknownAs === "FAIL") return "unknown_as";
  return reaches(countedSeverity(finding, rules), rules.failOn) ? "fail_on" : undefined;
}

/** What the severity counts as; undefined when it does not count. */
function countedSeverity({ severity }: JudgedFinding, { unknownAs }: PolicyRules): Severity | undefined {
  if (severity !== "UNKNOWN") return severity;
  return unknownAs === "LOW" ? "LOW" : undefined;
}

function reaches(severity: Severity | undefined, least: Severity | undefined): boolean {
  return severity !== undefined && least !== undefined && rank(severity) >= rank(least);
}

function coverageReasons(image: JudgedImage, policies: readonly ImagePolicy[]): PolicyReason[] {
  if (image.coverage === "FULL") return [];
  const strict = policies.filter(({ rules }) => rules.requireFullCoverage);
  const message = coverageClause(image);
  return strict.map(({ name }) => ({ policy: name, rule: "require_full_coverage", finding: undefined, message }));
}

/** The worst first: known exploited, then by severity and probability, then by name. */
function compareFindings(a: JudgedFinding, b: JudgedFinding): number {
  return (
    Number(b.knownExploited) - Number(a.knownExploited) ||
    rank(b.severity) - rank(a.severity) ||
    b.epss - a.epss ||
    compareText(a.vulnerability, b.vulnerability) ||
    compareText(a.package, b.package) ||
    compareText(a.version, b.version) ||
    compareText(a.fixedVersion, b.fixedVersion) ||
    a.firstFoundAt - b.firstFoundAt
  );
}

function rank(severity: Severity): number {
  return rankOf.get(severity) ?? 0;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The first of many things, and how many there are. */
class Shown<T> {
  readonly all: T[];
  count: number;

  constructor(first: T[] = []) {
    this.all = first.slice(0, maxShown);
    this.count = first.length;
  }

  add(make: () => T): void {
    this.count++;
    if (this.all.length < maxShown) this.all.push(make());
  }
}
