import type { Coverage, IndexedFinding, Severity } from "./report-entry.ts";
import { severities } from "./report-entry.ts";

/** A finding and the image that has it. */
export interface ComparedFinding extends IndexedFinding {
  readonly digest: string;
}

/** What is compared with, and what is compared. */
export type Side = "base" | "head";

/** The findings of two sides, by whether base and head have them; each list the worst first. */
export interface Comparison {
  /** Of head alone. */
  added: ComparedFinding[];
  /** Of base alone. */
  gone: ComparedFinding[];
  /** Of both, as head has them. */
  unchanged: ComparedFinding[];
}

/**
 * Compares what two sides, of a report or of many each, have found. A finding is the same when its vulnerability and its
 * package are; another version of the package, or another fix, does not make it a new one.
 */
export class FindingComparison {
  readonly #base = new Map<string, ComparedFinding>();
  readonly #head = new Map<string, ComparedFinding>();

  /** How many findings it holds. */
  get size(): number {
    return this.#base.size + this.#head.size;
  }

  /** Adds what was found in an image. */
  add(side: Side, findings: readonly IndexedFinding[], digest: string): void {
    const found = side === "base" ? this.#base : this.#head;
    for (const finding of findings) {
      const key = `${finding.vulnerability}\n${finding.package}`;
      const known = found.get(key);
      if (known === undefined || rank(finding) > rank(known)) found.set(key, { ...finding, digest });
    }
  }

  result(): Comparison {
    const [base, head] = [this.#base, this.#head];
    const sorted = (findings: Iterable<ComparedFinding>) => [...findings].sort(worstFirst);
    return {
      added: sorted([...head].flatMap(([key, finding]) => (base.has(key) ? [] : [finding]))),
      gone: sorted([...base].flatMap(([key, finding]) => (head.has(key) ? [] : [finding]))),
      unchanged: sorted([...head].flatMap(([key, finding]) => (base.has(key) ? [finding] : []))),
    };
  }
}

/** The least of several coverages; what is no image does not count unless nothing else is there. Undefined of none. */
export function leastCoverage(coverages: readonly Coverage[]): Coverage | undefined {
  const images = coverages.filter((coverage) => coverage !== "NOT_AN_IMAGE");
  if (images.length === 0) return coverages[0];
  return (["UNSUPPORTED", "PARTIAL"] as const).find((coverage) => images.includes(coverage)) ?? "FULL";
}

/** What a comparison comes to. */
export interface ComparisonFacts extends Comparison {
  /** Undefined when there was no report yet. */
  baseCoverage: Coverage | undefined;
  headCoverage: Coverage | undefined;
  /** Of a repository: how many images each side has, and how many of head's had no report before. */
  images?: { base: number; head: number; added: number };
}

/**
 * What a comparison says, in a line for people. Findings that are not there any more are called gone only where all was
 * looked at, on both sides: what was not looked at can neither be gone nor be known to be new.
 */
export function compareHeadline({
  added,
  gone,
  unchanged,
  baseCoverage,
  headCoverage,
  images,
}: ComparisonFacts): string {
  const counts = [
    baseCoverage === "FULL" || baseCoverage === undefined ? `${added.length} new` : `${added.length} that may be new`,
    goneWords(gone.length, headCoverage),
    `${unchanged.length} unchanged`,
  ].join(", ");
  const worst = added[0] === undefined ? "" : `; the worst new one is ${added[0].severity.toLowerCase()}`;
  const coverage = `base ${wordsOf(baseCoverage, images?.base)}, head ${wordsOf(headCoverage, images?.head)}`;
  return `${counts}${worst} (${coverage}${imagesWords(images)})`;
}

function goneWords(count: number, headCoverage: Coverage | undefined): string {
  if (headCoverage === "FULL") return `${count} gone`;
  return `${count} not seen again${count === 0 ? "" : ", which need not be gone"}`;
}

function imagesWords(images: ComparisonFacts["images"]): string {
  if (images === undefined) return "";
  const { base, head, added } = images;
  return `; ${base} ${base === 1 ? "image" : "images"} then, ${head} now, ${added} of them new`;
}

/** @param images of how many images the coverage is the least */
function wordsOf(coverage: Coverage | undefined, images = 1): string {
  if (coverage === undefined) return "without a report";
  if (images > 1 && coverage !== "FULL") return "not all looked at in full";
  const words: Record<Coverage, string> = {
    FULL: "looked at in full",
    PARTIAL: "looked at in part",
    UNSUPPORTED: "not looked at",
    NOT_AN_IMAGE: "no image",
  };
  return words[coverage];
}

function worstFirst(a: ComparedFinding, b: ComparedFinding): number {
  return rank(b) - rank(a) || compare(a.vulnerability, b.vulnerability) || compare(a.package, b.package);
}

function rank({ severity }: { severity: Severity }): number {
  return severities.indexOf(severity);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
