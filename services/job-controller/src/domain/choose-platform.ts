import type { ReportReference } from "./report-entry.ts";

/** A report of several, and the others. */
export interface Choice<Reference> {
  chosen: Reference;
  others: Reference[];
}

/** What is chosen when nobody says which. */
const usual = "linux/amd64";

/** Other names of processors, as the workers know them. */
const sameArchitecture: Readonly<Record<string, string>> = { aarch64: "arm64", x86_64: "amd64", "x86-64": "amd64" };

/**
 * The report for the platform: for exactly that one, else for one that differs in its variant alone.
 * @param platform e.g. linux/arm64; empty for linux/amd64, else the first report
 * @returns undefined when there is no report, or none for the platform
 */
export function choosePlatform<Reference extends Pick<ReportReference, "platform">>(
  reports: readonly Reference[],
  platform: string,
): Choice<Reference> | undefined {
  const wanted = normalize(platform === "" ? usual : platform);
  const chosen =
    reports.find((report) => normalize(report.platform) === wanted) ??
    reports.find((report) => differsInVariant(normalize(report.platform), wanted)) ??
    (platform === "" ? reports[0] : undefined);
  return chosen && { chosen, others: reports.filter((report) => report !== chosen) };
}

function normalize(platform: string): string {
  const [os = "", architecture = "", ...variant] = platform.toLowerCase().split("/");
  const known = Object.hasOwn(sameArchitecture, architecture) ? sameArchitecture[architecture] : architecture;
  return [os, known, ...variant].join("/");
}

/** Whether all is the same but the variant, which one of them does not name. */
function differsInVariant(one: string, other: string): boolean {
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one];
  return shorter.includes("/") && longer.startsWith(`${shorter}/`);
}
