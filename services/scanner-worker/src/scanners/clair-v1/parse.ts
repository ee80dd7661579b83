import { z } from "zod";
import { checkedList } from "../../domain/checked-list.ts";
import { purlOf } from "../../domain/purl.ts";
import type { Cvss, Distribution, Finding, Package, ScannerInfo, Vulnerability } from "../../domain/report.ts";
import { severityOfClairWord } from "../../domain/severity.ts";
import { answerTooLarge, brokenAnswer, maxFindings, maxPackages } from "./answer.ts";

/** What Clair found in an image. */
export interface ClairFindings {
  scanner: ScannerInfo;
  distributions: Omit<Distribution, "vulnerabilityData">[];
  packages: Package[];
  vulnerabilities: Vulnerability[];
  findings: Finding[];
}

/** Read as empty when it is missing: by `?? ""`, as a transform of each text would take longer than all else. */
const text = z.string().nullish();
const metadata = z.record(z.string(), z.unknown()).nullish().catch(undefined);
const vulnerability = z.object({
  Name: z.string().min(1),
  NamespaceName: text,
  Description: text,
  Link: text,
  Severity: text,
  FixedBy: text,
  Metadata: metadata,
});
const feature = z.object({
  Name: z.string().min(1),
  NamespaceName: text,
  VersionFormat: text,
  Version: text,
  AddedBy: text,
  Vulnerabilities: checkedList(vulnerability).nullish(),
});
const answer = z.object({
  Layer: z.object({
    NamespaceName: text,
    IndexedByVersion: z.int32().catch(0),
    Features: checkedList(feature).nullish(),
  }),
});
const counted = z.object({ Layer: z.object({ Features: z.array(z.unknown()) }) });
const score = z.object({ Score: z.number().min(0).max(10).catch(0), Vectors: z.string().catch("") });
const nvdScores = z.object({ CVSSv2: score.optional().catch(undefined), CVSSv3: score.optional().catch(undefined) });

type Feature = z.infer<typeof feature>;
type ClairVulnerability = z.infer<typeof vulnerability>;

/**
 * Reads the answer to GET /v1/layers/{name}?features&vulnerabilities (Clair 2.x). Clair gives features in any order.
 * @param digests the digest of each layer by its name with Clair
 * @throws JobFailure SCANNER_FAULT when it is not what Clair answers, SCANNER_ANSWER_TOO_LARGE when it has too much in it
 */
export function parseLayer(body: unknown, digests: ReadonlyMap<string, string>): ClairFindings {
  checkCounts(body);
  const parsed = answer.safeParse(body);
  if (!parsed.success) {
    const paths = parsed.error.issues.slice(0, 3).map(({ path }) => path.join("."));
    throw brokenAnswer(`is not understood at ${paths.join(", ")}`);
  }
  const { NamespaceName, IndexedByVersion, Features } = parsed.data.Layer;
  const features = Features ?? [];
  if (features.some(({ AddedBy }) => AddedBy && !digests.has(AddedBy)))
    throw brokenAnswer("has packages of a layer that the image does not have");
  const listed = features.flatMap(({ Vulnerabilities }) => Vulnerabilities ?? []);
  return {
    scanner: { kind: "CLAIR_V1", name: "Clair", vendor: "Quay", version: "", engineVersion: IndexedByVersion },
    distributions: readDistributions(NamespaceName ?? "", features),
    packages: features.map((entry) => readPackage(entry, digests)),
    vulnerabilities: [...new Map(listed.map((entry) => [keyOf(entry), readVulnerability(entry)])).values()],
    findings: features.flatMap((entry) => readFindings(entry, digests)),
  };
}

/** Of an answer that is not understood yet: to check each package and finding is what takes long. */
function checkCounts(body: unknown): void {
  const features = counted.safeParse(body).data?.Layer.Features ?? [];
  if (features.length > maxPackages) throw answerTooLarge(`${features.length} packages`);
  const findings = features.reduce<number>((sum, feature) => {
    const listed = (feature as { Vulnerabilities?: unknown } | null)?.Vulnerabilities;
    return sum + (Array.isArray(listed) ? listed.length : 0);
  }, 0);
  if (findings > maxFindings) throw answerTooLarge(`${findings} findings`);
}

function readDistributions(ofLayer: string, features: readonly Feature[]): ClairFindings["distributions"] {
  const formats = new Map(ofLayer === "" ? [] : [[ofLayer, ""]]);
  for (const { NamespaceName, VersionFormat } of features) {
    if (NamespaceName) formats.set(NamespaceName, formats.get(NamespaceName) || (VersionFormat ?? ""));
  }
  return [...formats].map(([namespace, versionFormat]) => ({ ...splitNamespace(namespace), namespace, versionFormat }));
}

function splitNamespace(namespace: string): { did: string; versionId: string } {
  const [did = "", ...rest] = namespace.split(":");
  return { did, versionId: rest.join(":") };
}

function readPackage(entry: Feature, digests: ReadonlyMap<string, string>): Package {
  const { Name: name, Version, VersionFormat, NamespaceName } = entry;
  const version = Version ?? "";
  const namespace = NamespaceName ?? "";
  const purl = purlOf({ ...splitNamespace(namespace), name, version, isSource: true });
  return {
    id: idOf(entry),
    name,
    version,
    versionFormat: VersionFormat ?? "",
    namespace,
    purl,
    layerDigest: digests.get(entry.AddedBy ?? "") ?? "",
  };
}

function readFindings(entry: Feature, digests: ReadonlyMap<string, string>): Finding[] {
  const packageId = idOf(entry);
  const layerDigest = digests.get(entry.AddedBy ?? "") ?? "";
  return (entry.Vulnerabilities ?? []).map((found) => {
    const fixedVersion = found.FixedBy === "None" ? "" : (found.FixedBy ?? "");
    return {
      packageId,
      vulnerabilityKey: keyOf(found),
      severity: severityOfClairWord(found.Severity ?? ""),
      fixedVersion,
      status: fixedVersion === "" ? "AFFECTED" : "FIXED_AVAILABLE",
      layerDigest,
    };
  });
}

function readVulnerability(found: ClairVulnerability): Vulnerability {
  const { NVD: nvd, ...others } = found.Metadata ?? {};
  return {
    key: keyOf(found),
    name: found.Name,
    namespace: found.NamespaceName ?? "",
    description: found.Description ?? "",
    links: found.Link ? [found.Link] : [],
    severity: severityOfClairWord(found.Severity ?? ""),
    sourceSeverity: found.Severity ?? "",
    cvss: readScores(nvd),
    extensions: others,
  };
}

/** Clair 2.1 gives a score of 0 without a vector when there is none. */
function readScores(nvd: unknown): Cvss[] {
  if (nvd === undefined) return [];
  const parsed = nvdScores.safeParse(nvd);
  if (!parsed.success) return [];
  const { CVSSv2, CVSSv3 } = parsed.data;
  const scores: Cvss[] = [];
  for (const [standard, given] of [
    ["2.0", CVSSv2],
    ["3.0", CVSSv3],
  ] as const) {
    if (given === undefined || (given.Score === 0 && given.Vectors === "")) continue;
    const version = given.Vectors.startsWith("CVSS:3.1/") ? "3.1" : standard;
    scores.push({ version, score: given.Score, vector: given.Vectors, source: "nvd" });
  }
  return scores;
}

function idOf({ NamespaceName, Name, Version }: Feature): string {
  return `${NamespaceName ?? ""}/${Name}@${Version ?? ""}`;
}

function keyOf({ NamespaceName, Name }: ClairVulnerability): string {
  return `${NamespaceName ?? ""}/${Name}`;
}
