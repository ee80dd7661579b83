import { Report, type Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";

/** The fields of a report, each of them optional. */
export type ReportFields = Parameters<typeof Report.fromPartial>[0];

/** A finding of a sample report, with its package and vulnerability. */
export interface SampleFinding {
  vulnerability: string;
  package: string;
  version?: string;
  fixedVersion?: string;
  /** Default: 5, high. */
  severity?: Severity;
  description?: string;
  links?: string[];
}

const digest = `sha256:${"a".repeat(64)}`;
const layer = `sha256:${"b".repeat(64)}`;

/** A report of library/web:1.0 with those findings, FULL unless `fields` say otherwise. */
export function sampleReport(found: readonly SampleFinding[], fields: ReportFields = {}): Report {
  const findings = found.map((one, at) => toFinding(one, at));
  const severities = [...new Set(findings.map(({ severity }) => severity))].sort((a, b) => b - a);
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  return Report.fromPartial({
    schemaVersion: "1",
    reportId: "1jd5m9q2c00000",
    artifact: {
      registryUrl: "https://registry.example",
      repository: "library/web",
      digest,
      tags: ["1.0"],
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      platform: { os: "linux", architecture: "amd64" },
    },
    scanner: { kind: 1, name: "Clair", vendor: "CoreOS", version: "2.1.8" },
    scanStartedAt: new Date("2026-11-30T10:00:00Z"),
    generatedAt: new Date("2026-11-30T10:00:05Z"),
    coverage: 1,
    headline:
      found.length === 0 ? "no vulnerabilities found in 1 package (full coverage)" : `${found.length} vulnerabilities`,
    layers: [{ index: 0, digest: layer }],
    distributions: [{ did: "debian", versionId: "12", namespace: "debian:12", vulnerabilityData: 1 }],
    packages: found.map((one, at) => ({
      id: `p${at}`,
      name: one.package,
      version: one.version ?? "1.0-1",
      versionFormat: "dpkg",
      namespace: "debian:12",
      layerDigest: layer,
      purl: `pkg:deb/debian/${encodeURIComponent(one.package)}@1.0-1?distro=debian-12`,
    })),
    vulnerabilities: found.map((one, at) => toVulnerability(one, at)),
    findings,
    summary: {
      total: found.length,
      unique: new Set(found.map(({ vulnerability }) => vulnerability)).size,
      fixable: findings.filter(({ fixedVersion }) => fixedVersion !== "").length,
      bySeverity: severities.map((severity) => ({ severity, count: count(severity) })),
      packageCount: found.length,
      affectedPackageCount: found.length,
      maxSeverity: severities[0] ?? 0,
    },
    ...fields,
  });
}

/** A digest of 64 times that character. */
export function digestOf(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

/**
 * A report of an image for linux/amd64.
 * @param image its repository and tag, e.g. library/web:1.0
 * @param letter of its digest
 */
export function imageReport(
  image: string,
  letter: string,
  found: readonly SampleFinding[] = [],
  fields: ReportFields = {},
): Report {
  const [repository = "", tag = ""] = image.split(":");
  const platform = { os: "linux", architecture: "amd64" };
  return sampleReport(found, { artifact: { repository, tags: [tag], digest: digestOf(letter), platform }, ...fields });
}

function toFinding({ severity = 5, fixedVersion = "" }: SampleFinding, at: number) {
  const status = fixedVersion === "" ? 1 : 2;
  return {
    packageId: `p${at}`,
    vulnerabilityKey: `v${at}`,
    severity,
    fixedVersion,
    status,
    layerDigest: layer,
  } as const;
}

function toVulnerability(one: SampleFinding, at: number) {
  return {
    key: `v${at}`,
    name: one.vulnerability,
    namespace: "debian:12",
    description: one.description ?? "A fault that lets whoever can reach it do what they must not.",
    links: one.links ?? [`https://security.example/${one.vulnerability}`],
    severity: one.severity ?? 5,
    sourceSeverity: "High",
    cvss: [
      { version: "2.0", score: 5, vector: "AV:N/AC:L/Au:N/C:P/I:N/A:N", source: "nvd" },
      { version: "3.1", score: 7.5, vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", source: "nvd" },
    ],
    extensions: { NVD: { PublishedDateTime: "2023-10-03T18:15Z" } },
  };
}

/** The report in parts of few entries each, their lists in an order that no worker of ours has. */
export async function* inParts(report: Report, size = 2): AsyncGenerator<Report> {
  const { packages, vulnerabilities, findings, ...head } = report;
  for (let at = 0; at < findings.length; at += size) {
    yield Report.fromPartial({ findings: findings.slice(at, at + size) });
    yield Report.fromPartial({ packages: packages.slice(at, at + size) });
    yield Report.fromPartial({ vulnerabilities: vulnerabilities.slice(at, at + size) });
  }
  yield Report.fromPartial(head);
}

const evil = `<script>alert("1")</script>`;

/** What a hostile or merely odd image makes of a report, by what is odd. */
export const oddReports: Readonly<Record<string, Report>> = {
  "nothing found": sampleReport([]),
  "nothing looked at": sampleReport([], {
    coverage: 3,
    coverageNotes: ["no_vulnerability_data"],
    headline: "unsupported: the scanner has no vulnerability data for debian:12",
  }),
  "a part looked at": sampleReport([{ vulnerability: "CVE-2026-1", package: "openssl" }], {
    coverage: 2,
    coverageNotes: ["unsupported_layer"],
    headline: "1 vulnerability (partial: a layer that the scanner cannot read was left out)",
  }),
  "no image": sampleReport([], {
    coverage: 4,
    coverageNotes: ["not_an_image"],
    headline: "skipped: not an image (a chart)",
    scanner: undefined,
    distributions: [],
  }),
  "names with separators": sampleReport([
    { vulnerability: 'CVE-2026-1|x,"y";z', package: "a|b,c;d\te", version: "1\n2\r\n3", fixedVersion: '"4"' },
  ]),
  formulas: sampleReport(
    ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1", ' "=1', "'=1"].map((name) => ({
      vulnerability: name,
      package: `=HYPERLINK("https://x.example","${name}")`,
      version: name,
    })),
  ),
  markup: sampleReport([
    {
      vulnerability: evil,
      package: `"><img src=x onerror=alert(1)>`,
      description: `${evil} &amp; <b>bold</b> <style>*{}</style>`,
      links: [
        "javascript:alert(1)",
        `https://x.example/"onmouseover="alert(1)`,
        "data:text/html,x",
        "https://ok.example/?a=1&b=2",
      ],
    },
  ]),
  "control characters and direction marks": sampleReport([
    {
      vulnerability: "CVE-2026-\u202e1",
      package: "\u001b[31mred\u001b[0m\u0007\u0000",
      version: "\u001b]8;;https://x.example\u0007link\u001b]8;;\u0007",
    },
  ]),
  "letters of the world": sampleReport([
    { vulnerability: "CVE-2026-1", package: "пакет-包-حزمة-🚢", version: "1.0-ß", description: "👩‍🚀 é".repeat(200) },
  ]),
  "entries that lead nowhere": sampleReport([{ vulnerability: "CVE-2026-1", package: "openssl" }], {
    findings: [
      { packageId: "gone", vulnerabilityKey: "gone-too", severity: 6, status: 1 },
      { packageId: "p0", vulnerabilityKey: "v0", severity: 99, status: 9 },
      { packageId: "p0", vulnerabilityKey: "v0", severity: 5, status: 1 },
    ] as ReportFields["findings"] & object,
  }),
  "no field at all": Report.fromPartial({}),
  "many findings": sampleReport(
    Array.from({ length: 20_000 }, (_, at) => ({
      vulnerability: `CVE-2026-${at % 5_000}`,
      package: `package-${at}`,
      fixedVersion: at % 2 === 0 ? "2.0" : "",
      severity: (6 - (at % 6)) as Severity,
    })),
  ),
};
