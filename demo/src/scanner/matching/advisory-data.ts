import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Advisory } from "./advisory.ts";

const folder = new URL("../../../data/advisories/", import.meta.url);

const fixesFile = z.object({
  namespace: z.string(),
  fixes: z.record(z.string(), z.record(z.string(), z.string())),
});

const knownFile = z.object({
  rows: z.array(
    z.object({
      namespace: z.string(),
      source: z.string(),
      cve: z.string(),
      fixedVersion: z.string().nullable(),
      severity: z.enum(["Unknown", "Negligible", "Low", "Medium", "High", "Critical"]),
      cvss3Score: z.number(),
      cvss3Vector: z.string(),
      knownAs: z.string(),
    }),
  ),
});

/** The advisories that the project ships. A vulnerability has one severity and score, whatever package has it. */
export function shippedAdvisories(): Advisory[] {
  const known = readKnown();
  const knownVulnerabilities = new Map(known.map((advisory) => [vulnerabilityOf(advisory), advisory]));
  const fixes = readFixes().map((advisory): Advisory => {
    const vulnerability = knownVulnerabilities.get(vulnerabilityOf(advisory));
    return vulnerability === undefined
      ? advisory
      : { ...vulnerability, package: advisory.package, fixedVersion: advisory.fixedVersion };
  });
  const bySubject = new Map(
    [...known, ...fixes].map((advisory) => [`${vulnerabilityOf(advisory)} ${advisory.package}`, advisory]),
  );
  return [...bySubject.values()];
}

function readFixes(): Advisory[] {
  const { namespace, fixes } = fixesFile.parse(readJson("debian-12.json"));
  return Object.entries(fixes).flatMap(([source, fixedVersions]) =>
    Object.entries(fixedVersions).map(([name, fixedVersion]): Advisory => {
      const description = `${name} in ${source}`;
      const link = linkTo(namespace, name);
      return { namespace, package: source, name, fixedVersion, severity: "Unknown", description, link };
    }),
  );
}

function readKnown(): Advisory[] {
  return knownFile.parse(readJson("known-cves.json")).rows.map((row) => ({
    namespace: row.namespace,
    package: row.source,
    name: row.cve,
    fixedVersion: row.fixedVersion,
    severity: row.severity,
    description: row.knownAs === "" ? `${row.cve} in ${row.source}` : `${row.cve} (${row.knownAs})`,
    link: linkTo(row.namespace, row.cve),
    cvss3: { score: row.cvss3Score, vector: row.cvss3Vector },
  }));
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, folder), "utf8"));
}

function linkTo(namespace: string, name: string): string {
  return namespace.startsWith("alpine:")
    ? `https://security.alpinelinux.org/vuln/${name}`
    : `https://security-tracker.debian.org/tracker/${name}`;
}

function vulnerabilityOf({ namespace, name }: Advisory): string {
  return `${namespace} ${name}`;
}
