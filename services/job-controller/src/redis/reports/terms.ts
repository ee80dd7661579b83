import { hash } from "node:crypto";
import type { IndexedFinding, IndexedReport, Severity } from "../../domain/report-entry.ts";

/** How many terms and layers of a report are in the indexes: as many as its findings may be. */
const mostTerms = 20_000;
const mostLayers = 500;
/** Longer names are cut. */
const mostCharacters = 256;
const separator = "\0";

/** The terms of a report's findings, each once. */
export function termsOf({ findings }: Pick<IndexedReport, "findings">): Set<string> {
  const terms = new Set<string>();
  for (const { vulnerability, package: name, version, fixedVersion, severity } of findings) {
    if (terms.size === mostTerms) break;
    terms.add([vulnerability, name, version, fixedVersion, severity].map(plain).join(separator));
  }
  return terms;
}

/** What stands behind the vulnerability in a term. */
export function readTerm(rest: string): Omit<IndexedFinding, "vulnerability"> {
  const [name = "", version = "", fixedVersion = "", severity = "UNKNOWN"] = rest.split(separator);
  return { package: name, version, fixedVersion, severity: severity as Severity };
}

/** A vulnerability's name as terms have it. */
export function plain(text: string): string {
  if (text.length <= mostCharacters && !text.includes(separator) && text.isWellFormed()) return text;
  return text.replaceAll(separator, "").slice(0, mostCharacters).toWellFormed();
}

/** The first eight bytes of a hash of each layer's name, one behind the other. */
export function layerHashes(names: readonly string[]): Buffer {
  const hashes = [...new Set(names)].slice(0, mostLayers).map(layerHash);
  return Buffer.concat(hashes);
}

export function layerHash(name: string): Buffer {
  return hash("sha256", name, "buffer").subarray(0, 8);
}

/** The hash of those that have the layer. */
export function layerBucket(hash: Buffer): number {
  return hash.readUInt16BE(0) >> 4;
}
