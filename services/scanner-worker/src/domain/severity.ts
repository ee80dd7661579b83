/** How bad a vulnerability is, in Drydock's words. */
export type Severity = "UNKNOWN" | "NEGLIGIBLE" | "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";

/** How many findings have a severity. */
export interface SeverityCount {
  readonly severity: Severity;
  readonly count: number;
}

/** The severities, the worst first. */
export const severitiesWorstFirst = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "NEGLIGIBLE", "UNKNOWN"] as const;

/** How bad a severity is, from 1 (UNKNOWN) to 6 (CRITICAL). */
export function severityRank(severity: Severity): number {
  return severitiesWorstFirst.length - severitiesWorstFirst.indexOf(severity);
}

/** How many there are of each severity that is among them, the worst first. */
export function countBySeverity(items: ReadonlyArray<{ readonly severity: Severity }>): SeverityCount[] {
  return severitiesWorstFirst
    .map((severity) => ({ severity, count: items.filter((item) => item.severity === severity).length }))
    .filter(({ count }) => count > 0);
}

const byClairWord: Readonly<Record<string, Severity>> = {
  negligible: "NEGLIGIBLE",
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH",
  critical: "CRITICAL",
  defcon1: "CRITICAL",
};

/** The severity for a word of Clair's, in upper or lower case; UNKNOWN for words that Clair does not have. */
export function severityOfClairWord(word: string): Severity {
  const key = word.toLowerCase();
  return Object.hasOwn(byClairWord, key) ? (byClairWord[key] ?? "UNKNOWN") : "UNKNOWN";
}
