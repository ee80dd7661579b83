/** A package as a package database names it. */
export interface InstalledPackage {
  name: string;
  version: string;
  architecture: string;
  /** What it was built from. Debian's advisories name it, with its version, which may differ from the package's. */
  source: { name: string; version: string };
}
