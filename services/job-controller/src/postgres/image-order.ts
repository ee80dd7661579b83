import type { ReportCounts, ReportEntry, Severity } from "../domain/report-entry.ts";
import { severities } from "../domain/report-entry.ts";

/** The severities whose counts order images, the first first. */
const ordering: readonly Severity[] = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];

const mostCount = 0xff_ff_ff_ff;

/** Bytes that are in the order of WORST: the more of what counts first, the smaller. */
export function worstKey({ counts, knownExploited }: Pick<ReportEntry, "counts" | "knownExploited">): Buffer {
  const numbers = [knownExploited, ...ordering.map((severity) => counts.bySeverity[severity] ?? 0)];
  const key = Buffer.alloc(4 * numbers.length);
  for (const [index, count] of numbers.entries()) key.writeUInt32BE(mostCount - Math.min(count, mostCount), 4 * index);
  return key;
}

/** The probability in the digits that FIRST publishes. */
export function epssNumber(epss: number): number {
  return Math.round(Math.min(Math.max(epss, 0), 1) * 100_000);
}

/** The number of the worst severity of which there is a finding, from 0; -1 without findings. */
export function worstOf({ bySeverity }: Pick<ReportCounts, "bySeverity">): number {
  return severities.findLastIndex((severity) => (bySeverity[severity] ?? 0) > 0);
}

const shaPrefix = "sha256:";

/** Between these all keys of digests are. */
export const [leastDigestKey, mostDigestKey] = [-1n, 1n << 60n];

/**
 * A number in the order of digests, as few bytes of an index: a smaller digest never has a greater number. Different digests
 * may have the same.
 */
export function digestKey(digest: string): bigint {
  if (digest < shaPrefix) return leastDigestKey;
  const hex = /^sha256:([0-9a-f]{15})/.exec(digest)?.[1];
  return hex === undefined ? mostDigestKey : BigInt(`0x${hex}`);
}
