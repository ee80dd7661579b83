/** The words of Clair 2.x. */
export type Severity = "Unknown" | "Negligible" | "Low" | "Medium" | "High" | "Critical";

/** A vulnerability of a package in a distribution. */
export interface Advisory {
  /** The distribution, as Clair calls it, e.g. debian:12. */
  namespace: string;
  /** The package it is about; for Debian the source package. */
  package: string;
  /** E.g. CVE-2014-0160. */
  name: string;
  /** The first version without the vulnerability; null when there is no fix. */
  fixedVersion: string | null;
  severity: Severity;
  description: string;
  link: string;
  /** NVD's score and vector, where known. */
  cvss3?: { score: number; vector: string };
}
