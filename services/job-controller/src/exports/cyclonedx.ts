import { createHash } from "node:crypto";
import { Coverage, type Cvss, type Package, type Vulnerability } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { pagesOf } from "./links.ts";
import { jsonList } from "./pieces.ts";
import type { FullFinding, ReportHead, ReportSource } from "./report-source.ts";
import { coverageOf, platformOf, severityOf, timeOf, totalLine, verdictLines } from "./words.ts";

const rootRef = "image";
/** The most characters of a version. */
const maxVersion = 1024;

const methods: Readonly<Record<string, string>> = {
  "2.0": "CVSSv2",
  "3.0": "CVSSv3",
  "3.1": "CVSSv31",
  "4.0": "CVSSv4",
};

/** How much of the image the components and their vulnerabilities are. */
const aggregates: Readonly<Partial<Record<Coverage, string>>> = {
  [Coverage.COVERAGE_FULL]: "complete",
  [Coverage.COVERAGE_PARTIAL]: "incomplete",
};

/** CycloneDX 1.6: the packages as components, with their vulnerabilities (a VDR). */
export async function* exportCycloneDx(source: ReportSource): AsyncGenerator<string> {
  const { titled: head } = source;
  const start = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(head)}`,
    version: 1,
    metadata: metadataOf(head),
    compositions: [{ aggregate: aggregates[head.coverage] ?? "unknown", assemblies: [rootRef] }],
  };
  yield `${JSON.stringify(start).slice(0, -1)},"components":`;
  yield* jsonList(componentsOf(source));
  yield `,"vulnerabilities":`;
  yield* jsonList(vulnerabilitiesOf(source));
  yield "}\n";
}

function metadataOf(head: ReportHead): object {
  const { artifact, scanner } = head;
  const timestamp = timeOf(head);
  const purl = imagePurl(head);
  const tools =
    scanner === undefined
      ? []
      : [{ type: "application", name: scanner.name || "unknown", ...versionOf(scanner.version) }];
  const facts: Array<[name: string, value: string]> = [
    ["coverage", coverageOf(head)],
    ...head.coverageNotes.map((note): [string, string] => ["coverage-note", note]),
    ["headline", head.headline],
    ["total", totalLine(head)],
    ["platform", platformOf(head)],
    ...verdictLines(head.verdict).map((line): [string, string] => ["policy", line]),
  ];
  return {
    ...(timestamp !== "" && { timestamp }),
    tools: { components: tools },
    component: {
      type: "container",
      "bom-ref": rootRef,
      name: artifact?.repository || "image",
      ...versionOf(artifact?.digest ?? ""),
      ...(purl !== "" && { purl }),
    },
    properties: facts.map(([name, value]) => ({ name: `drydock:${name}`, value })),
  };
}

async function* componentsOf(source: ReportSource): AsyncGenerator<object> {
  let index = 0;
  for await (const found of source.list("packages")) {
    if (source.isFirst(found, index)) yield componentOf(found, index);
    index += 1;
  }
}

function componentOf({ name, version, purl, layerDigest }: Package, index: number): object {
  return {
    type: "library",
    "bom-ref": refOf(index),
    name,
    ...versionOf(version),
    ...(purl !== "" && { purl }),
    ...(layerDigest !== "" && { properties: [{ name: "drydock:layer", value: layerDigest }] }),
  };
}

async function* vulnerabilitiesOf(source: ReportSource): AsyncGenerator<object> {
  const groups = await source.groupFindings();
  let index = 0;
  for await (const vulnerability of source.list("vulnerabilities")) {
    const findings = groups.get(vulnerability.key) ?? [];
    groups.delete(vulnerability.key);
    if (findings.length > 0) yield vulnerabilityOf(vulnerability, findings, index++);
  }
}

function vulnerabilityOf(vulnerability: Vulnerability, findings: readonly FullFinding[], index: number): object {
  const { name, namespace, description, links, severity, cvss, knownExploited, epss } = vulnerability;
  const fixes = fixesOf(findings);
  return {
    "bom-ref": `vulnerability-${index}`,
    id: name,
    source: { name: namespace || "unknown" },
    ratings: [{ severity: severityOf(severity).cycloneDx, method: "other" }, ...cvss.map(ratingOf)],
    description,
    ...(fixes !== "" && { recommendation: fixes }),
    advisories: pagesOf(links).map((url) => ({ url })),
    affects: affectsOf(findings),
    properties: [
      ...(knownExploited ? [{ name: "drydock:known-exploited", value: "true" }] : []),
      ...(epss > 0 ? [{ name: "drydock:epss", value: String(epss) }] : []),
    ],
  };
}

function ratingOf({ source, score, vector, version }: Cvss): object {
  const method = Object.hasOwn(methods, version) ? methods[version] : "other";
  return { source: { name: source || "unknown" }, score, method, ...(vector !== "" && { vector }) };
}

/** Each package once. */
function affectsOf(findings: readonly FullFinding[]): object[] {
  const packages = new Map(findings.map(({ package: found }) => [found.index, found]));
  return [...packages.values()]
    .filter(({ index }) => index >= 0)
    .map(({ index, version }) => ({
      ref: refOf(index),
      ...(version !== "" && { versions: [{ version: version.slice(0, maxVersion), status: "affected" }] }),
    }));
}

function fixesOf(findings: readonly FullFinding[]): string {
  const fixes = findings
    .filter(({ finding }) => finding.fixedVersion !== "")
    .map(({ finding, package: found }) => `Upgrade ${found.name} to ${finding.fixedVersion}`);
  return [...new Set(fixes)].join("; ");
}

function versionOf(version: string): object {
  return version === "" ? {} : { version: version.slice(0, maxVersion) };
}

function refOf(index: number): string {
  return `package-${index}`;
}

function imagePurl(head: ReportHead): string {
  const { repository = "", digest = "", registryUrl = "", tags = [] } = head.artifact ?? {};
  const name = repository.split("/").at(-1) ?? "";
  if (name === "" || digest === "") return "";
  const host = registryUrl.replace(/^https?:\/\//, "").replace(/\/$/, "");
  const qualifiers = [
    ...(host === "" ? [] : [`repository_url=${encodeURIComponent(`${host}/${repository}`)}`]),
    ...(tags[0] === undefined ? [] : [`tag=${encodeURIComponent(tags[0])}`]),
  ];
  const suffix = qualifiers.length === 0 ? "" : `?${qualifiers.join("&")}`;
  return `pkg:oci/${encodeURIComponent(name)}@${encodeURIComponent(digest)}${suffix}`;
}

/** The same for the same report: its exports are one document. */
function uuidOf({ reportId, artifact }: ReportHead): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([reportId, artifact?.digest]))
    .digest("hex");
  const variant = "89ab".charAt(Number.parseInt(hash.charAt(16), 16) % 4);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
