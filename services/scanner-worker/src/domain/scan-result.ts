import type { CoverageNote, Distribution, Finding, Package, ScannerInfo, Vulnerability } from "./report.ts";

/** What a scanner found, before it is put in order. */
export interface ScanResult {
  readonly scanner: ScannerInfo;
  /** Empty when the scanner knows no operating system in the image. */
  readonly distributions: readonly Distribution[];
  readonly packages: readonly Package[];
  readonly vulnerabilities: readonly Vulnerability[];
  readonly findings: readonly Finding[];
  /** Why layers were left out; empty when none was. What systems, packages and data mean is judged by `reachVerdict`. */
  readonly coverageNotes: readonly CoverageNote[];
  /** The name each layer has with the scanner, by the layer's place; empty when it gives none. */
  readonly layerNames: readonly string[];
  /** The places of the layers that were left out. */
  readonly skippedLayers: readonly number[];
  /** For the job's log: what the scanner could not be asked, and why. Default: nothing. */
  readonly warnings?: readonly string[];
}
