import { createHash } from "node:crypto";
import type { Exception } from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { Coverage, type Cvss, type Vulnerability } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import { pagesOf } from "./links.ts";
import { jsonList } from "./pieces.ts";
import type { FullFinding, ReportHead, ReportSource } from "./report-source.ts";
import {
  coverageLine,
  coverageOf,
  exceptionOf,
  imageName,
  platformOf,
  severityOf,
  totalLine,
  verdictLines,
} from "./words.ts";

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** SARIF 2.1.0, for code scanning: a rule for each vulnerability, a result for each finding. */
export async function* exportSarif(source: ReportSource): AsyncGenerator<string> {
  const { titled: head } = source;
  const driver = {
    name: head.scanner?.name || "Drydock",
    ...(head.scanner?.version && { version: head.scanner.version }),
  };
  yield `{"$schema":${JSON.stringify(schema)},"version":"2.1.0","runs":[{"tool":{"driver":`;
  yield `${JSON.stringify(driver).slice(0, -1)},"rules":`;
  const rules = new Map<string, number>();
  yield* jsonList(rulesOf(source, rules));
  yield `}},"results":`;
  yield* jsonList(resultsOf(source, rules));
  yield `,${JSON.stringify(runOf(head)).slice(1)}]}\n`;
}

/** What the run says of itself: coverage is a warning to whoever sees no result. */
function runOf(head: ReportHead) {
  const { artifact, coverage } = head;
  const isFull = coverage === Coverage.COVERAGE_FULL;
  const text = `coverage ${coverageLine(head)}: ${oneLine(head.headline)}`;
  return {
    columnKind: "utf16CodeUnits",
    originalUriBaseIds: { ROOTPATH: { uri: "file:///" } },
    invocations: [
      {
        executionSuccessful: true,
        toolExecutionNotifications: [
          { level: isFull ? "note" : "warning", message: { text }, descriptor: { id: `coverage/${coverageOf(head)}` } },
        ],
      },
    ],
    properties: {
      imageName: imageName(head),
      imageDigest: artifact?.digest ?? "",
      platform: platformOf(head),
      coverage: coverageOf(head),
      coverageNotes: head.coverageNotes,
      headline: head.headline,
      total: totalLine(head),
      ...(head.verdict !== undefined && { policy: verdictLines(head.verdict) }),
    },
  };
}

/** One rule for each name, the first one; notes its place. */
async function* rulesOf(source: ReportSource, rules: Map<string, number>): AsyncGenerator<object> {
  for await (const vulnerability of source.list("vulnerabilities")) {
    const { name } = vulnerability;
    if (rules.has(name)) continue;
    rules.set(name, rules.size);
    yield ruleOf(vulnerability);
  }
}

function ruleOf(vulnerability: Vulnerability): object {
  const { name, description, links, severity, cvss, knownExploited, epss } = vulnerability;
  const { word, sarifLevel, score } = severityOf(severity);
  const [link] = pagesOf(links);
  const about = description.trim() || name;
  const number = scoreOf(cvss) ?? score;
  return {
    id: name,
    name: "ContainerVulnerability",
    shortDescription: { text: oneLine(name) },
    fullDescription: { text: about.slice(0, 1_000) },
    ...(link !== undefined && { helpUri: link }),
    help: { text: link === undefined ? about : `${about}\n${link}` },
    defaultConfiguration: { level: sarifLevel },
    properties: {
      tags: ["vulnerability", "security", word.toUpperCase(), ...(knownExploited ? ["known-exploited"] : [])],
      precision: "very-high",
      ...(number !== "" && { "security-severity": number }),
      ...(epss > 0 && { epss }),
    },
  };
}

/** The score of the newest version of CVSS, as text; undefined where none is known. */
function scoreOf(cvss: readonly Cvss[]): string | undefined {
  const newest = cvss
    .toSorted((a, b) => b.version.localeCompare(a.version))
    .find(({ score }) => score > 0 && score <= 10);
  return newest?.score.toFixed(1);
}

async function* resultsOf(source: ReportSource, rules: ReadonlyMap<string, number>): AsyncGenerator<object> {
  for await (const full of source.findings()) yield resultOf(source.titled, full, rules);
}

function resultOf(head: ReportHead, full: FullFinding, rules: ReadonlyMap<string, number>): object {
  const { finding, package: found, vulnerability, exception } = full;
  const { word, sarifLevel } = severityOf(finding.severity);
  const ruleIndex = rules.get(vulnerability.name);
  const repository = head.artifact?.repository || "image";
  const lines = [
    `${vulnerability.name} in ${found.name} ${found.version}`,
    `Package: ${found.name}`,
    `Installed: ${found.version}`,
    `Fixed: ${finding.fixedVersion || "no fix is known"}`,
    `Severity: ${word}`,
    ...(vulnerability.link === "" ? [] : [`Link: ${vulnerability.link}`]),
  ];
  return {
    ruleId: vulnerability.name,
    ...(ruleIndex !== undefined && { ruleIndex }),
    level: sarifLevel,
    message: { text: lines.map(oneLine).join("\n") },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(repository), uriBaseId: "ROOTPATH" },
          region: { startLine: 1 },
        },
        logicalLocations: [{ fullyQualifiedName: found.purl || `${found.name}@${found.version}`, kind: "module" }],
      },
    ],
    partialFingerprints: { "findingKey/v1": fingerprint(repository, vulnerability.name, found.name) },
    // all results of a run have suppressions, or none has: of none it would not be known whether it is suppressed
    suppressions: exception === undefined ? [] : [suppressionOf(exception)],
  };
}

function suppressionOf(exception: Exception): object {
  const { id, createdBy, expiresAt } = exception;
  return {
    kind: "external",
    status: "accepted",
    justification: exceptionOf(exception),
    properties: {
      exceptionId: id,
      ...(createdBy !== "" && { createdBy: oneLine(createdBy) }),
      ...(expiresAt !== undefined && { expiresAt: expiresAt.toISOString() }),
    },
  };
}

/** The same for an image's next digest: a finding that stays is not a new one. */
function fingerprint(...parts: string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
