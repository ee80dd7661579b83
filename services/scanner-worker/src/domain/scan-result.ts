import type { CoverageNote, Distribution, Finding, Package, ScannerInfo, Vulnerability } from "./report.ts";

/** What a scanner found, before it is put in order. */
export interface ScanResult {
  /** Undefined when no layer was scanned. */
  readonly scanner: ScannerInfo | undefined;
  /** Empty when the scanner knows no operating system in the image. */
  readonly distributions: readonly Distribution[];
  readonly packages: readonly Package[];
  readonly vulnerabilities: readonly Vulnerability[];
  readonly findings: readonly Finding[];
  /** Why layers were left out; empty when none was. `reachVerdict` adds the notes on distributions, packages and data. */
  readonly coverageNotes: readonly CoverageNote[];
  /** The scanner's name of each layer, by the layer's index; empty when it has none. */
  readonly layerNames: readonly string[];
  /** The indexes of the layers that were left out. */
  readonly skippedLayers: readonly number[];
  /** For the job's log: which questions the scanner did not answer, and why. Default: none. */
  readonly warnings?: readonly string[];
}
