import type { IndexedReport } from "../../services/job-controller/src/domain/report-entry.ts";
import type { NewReport } from "../../services/job-controller/src/ports/report-store.ts";

/** A report for a store: of the image, with nothing found in it unless `parts` say otherwise. */
export function newReport(jobId: string, digest: string, gzip: Buffer, parts: Partial<IndexedReport> = {}): NewReport {
  const counts = { total: 0, unique: 0, fixable: 0, bySeverity: {}, packages: 0, affectedPackages: 0 };
  const entry: IndexedReport = {
    ...{ reportId: jobId, jobId, digest, indexDigest: "", platform: "", repository: "library/web", tags: [] },
    ...{ coverage: "FULL", coverageNotes: [], scanner: "Clair", scannerState: "", scannedAt: 0, headline: "" },
    ...{ counts, knownExploited: 0, maxEpss: 0, findings: [], layerNames: [] },
    ...parts,
  };
  return { entry, gzip };
}
