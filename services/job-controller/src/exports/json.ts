import { Finding, Package, Report, Vulnerability } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { jsonList } from "./pieces.ts";
import type { LongList, ReportSource } from "./report-source.ts";

const codecs = { packages: Package, vulnerabilities: Vulnerability, findings: Finding } as const;

/** Drydock's own model, drydock.report.v1.Report in protobuf's JSON. */
export async function* exportJson(source: ReportSource): AsyncGenerator<string> {
  const head = Report.toJSON({ ...source.head, packages: [], vulnerabilities: [], findings: [] });
  yield "{";
  for (const name of Object.keys(codecs) as LongList[]) {
    yield `"${name}":`;
    yield* jsonList(listOf(source, name));
    yield ",\n";
  }
  yield `${JSON.stringify({ reportId: "", ...(head as object) }).slice(1)}\n`;
}

async function* listOf(source: ReportSource, name: LongList): AsyncGenerator<unknown> {
  const toJson = codecs[name].toJSON as (entry: unknown) => unknown;
  for await (const entry of source.list(name)) yield toJson(entry);
}
