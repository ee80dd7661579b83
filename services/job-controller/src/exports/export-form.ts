import { exportCsv } from "./csv.ts";
import { exportCycloneDx } from "./cyclonedx.ts";
import { exportHarbor } from "./harbor.ts";
import { exportHtml } from "./html.ts";
import { exportJson } from "./json.ts";
import type { ReportHead, ReportSource } from "./report-source.ts";
import { exportSarif } from "./sarif.ts";
import { exportTable } from "./table.ts";

/** A form in which a report is given to other programs or to people. */
export interface ExportForm {
  mediaType: string;
  /** Of a file's name, with its dot. */
  extension: string;
  /** The texts that are the export one after the other. */
  write(source: ReportSource): AsyncIterable<string>;
}

/** The forms, by what callers call them. */
export const exportForms = {
  json: { mediaType: "application/json", extension: ".json", write: exportJson },
  sarif: { mediaType: "application/sarif+json", extension: ".sarif", write: exportSarif },
  cyclonedx: {
    mediaType: "application/vnd.cyclonedx+json; version=1.6",
    extension: ".cdx.json",
    write: exportCycloneDx,
  },
  harbor: {
    mediaType: "application/vnd.security.vulnerability.report; version=1.1",
    extension: ".harbor.json",
    write: exportHarbor,
  },
  csv: { mediaType: "text/csv; charset=utf-8; header=present", extension: ".csv", write: exportCsv },
  html: { mediaType: "text/html; charset=utf-8", extension: ".html", write: exportHtml },
  table: { mediaType: "text/plain; charset=utf-8", extension: ".txt", write: exportTable },
} as const satisfies Record<string, ExportForm>;

const maxNameLength = 120;

/** A name for a file of the report, e.g. library-web-1.0.sarif, that is safe on every system. */
export function fileNameOf({ artifact, reportId }: ReportHead, { extension }: ExportForm): string {
  const { repository = "", tags = [], digest = "" } = artifact ?? {};
  const version = tags[0] ?? digest.replace(/^sha\d+:/, "").slice(0, 12);
  const words = [repository, version].join("-").match(/[A-Za-z0-9._]+/g) ?? [reportId];
  const name = words
    .join("-")
    .replace(/^[.-]+/, "")
    .slice(0, maxNameLength);
  return `${name || "report"}${extension}`;
}
