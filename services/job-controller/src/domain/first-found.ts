import { hash } from "node:crypto";
import type { IndexedFinding } from "./report-entry.ts";

/**
 * What a finding's first time is kept under: its vulnerability, package and fixed version, whatever the image, so that the
 * days of grace begin anew with the fix and not with every build. 12 characters.
 */
export function firstFoundKeyOf(finding: Pick<IndexedFinding, "vulnerability" | "package" | "fixedVersion">): string {
  const text = JSON.stringify([finding.vulnerability, finding.package, finding.fixedVersion]);
  return hash("sha256", text, "base64url").slice(0, 12);
}
