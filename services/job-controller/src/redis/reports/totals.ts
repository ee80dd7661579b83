import { type Coverage, type ReportEntry, type Severity, severities } from "../../domain/report-entry.ts";
import type { ReportTotals } from "../../ports/report-queries.ts";

const coverages: readonly Coverage[] = ["FULL", "PARTIAL", "UNSUPPORTED", "NOT_AN_IMAGE"];
const worsts = ["NONE", ...severities] as const;

/** Where the parts of the sums begin: images, findings, fixable, by severity, images by worst, by coverage, exploited. */
const at = { images: 0, findings: 1, fixable: 2, bySeverity: 3, byWorst: 9, byCoverage: 16, exploited: 20 };
const length = 21;

/** The worst severity that the counts have. */
export function worstOf({ counts: { bySeverity } }: Pick<ReportEntry, "counts">): Severity | "NONE" {
  return severities.findLast((severity) => (bySeverity[severity] ?? 0) > 0) ?? "NONE";
}

/** The coverage by its number. */
export function coverageNumber(coverage: Coverage): number {
  return coverages.indexOf(coverage);
}

/** The coverage of the number. */
export function coverageOf(number: number): Coverage {
  return coverages[number] ?? "UNSUPPORTED";
}

/** What a report adds to totals. */
export function sumsOf(entry: ReportEntry): number[] {
  const sums = noSums();
  const { total, fixable, bySeverity } = entry.counts;
  [sums[at.images], sums[at.findings], sums[at.fixable]] = [1, total, fixable];
  for (const [number, severity] of severities.entries()) sums[at.bySeverity + number] = bySeverity[severity] ?? 0;
  sums[at.byWorst + worsts.indexOf(worstOf(entry))] = 1;
  sums[at.byCoverage + coverageNumber(entry.coverage)] = 1;
  sums[at.exploited] = entry.knownExploited > 0 ? 1 : 0;
  return sums;
}

/** Sums of nothing. */
export function noSums(): number[] {
  return Array.from({ length }, () => 0);
}

/** Adds the sums, so many times. */
export function addSums(to: number[], sums: readonly number[], times = 1): void {
  for (const [number, sum] of sums.entries()) to[number] = (to[number] ?? 0) + times * sum;
}

/** The sums as callers see them; zeros are left out. */
export function toTotals(sums: readonly number[]): ReportTotals {
  const part = <Word extends string>(words: readonly Word[], from: number) => {
    const counted = words.map((word, number) => [word, sums[from + number] ?? 0] as const);
    return Object.fromEntries(counted.filter(([, count]) => count > 0)) as Partial<Record<Word, number>>;
  };
  return {
    images: sums[at.images] ?? 0,
    findings: sums[at.findings] ?? 0,
    fixable: sums[at.fixable] ?? 0,
    bySeverity: part(severities, at.bySeverity),
    imagesBySeverity: part(worsts, at.byWorst),
    byCoverage: part(coverages, at.byCoverage),
    imagesWithKnownExploited: sums[at.exploited] ?? 0,
  };
}

/** By what is worst of two: exploited, then critical, high, medium and low. Negative when the first is worse. */
export function compareSums(a: readonly number[], b: readonly number[]): number {
  const worstFirst = [at.exploited, ...[5, 4, 3, 2].map((severity) => at.bySeverity + severity)];
  for (const number of worstFirst) {
    const difference = (b[number] ?? 0) - (a[number] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
