import type { TarFile } from "./tar-writer.ts";

/** A package to be entered in an image's package database. */
export interface SamplePackage {
  package: string;
  version: string;
  architecture: string;
  /** What it was built from. */
  source: string;
  sourceVersion: string;
}

/** The os-release file with the given variables. */
export function osReleaseFile(variables: Record<string, string>): TarFile {
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value}"\n`);
  return { path: "etc/os-release", content: lines.join("") };
}

/** Debian's package database. */
export function dpkgStatusFile(packages: SamplePackage[]): TarFile {
  return { path: "var/lib/dpkg/status", content: packages.map(dpkgParagraph).join("\n") };
}

/** The package databases of a distroless image: a file for each package, which some scanners do not read. */
export function dpkgStatusFiles(packages: SamplePackage[]): TarFile[] {
  return packages.map((own) => ({ path: `var/lib/dpkg/status.d/${own.package}`, content: dpkgParagraph(own) }));
}

/** Alpine's package database. */
export function apkInstalledFile(packages: SamplePackage[]): TarFile {
  return { path: "lib/apk/db/installed", content: `${packages.map(apkParagraph).join("\n")}\n` };
}

function dpkgParagraph(own: SamplePackage): string {
  const isOwnSource = own.source === own.package && own.sourceVersion === own.version;
  const sourceVersion = own.sourceVersion === own.version ? "" : ` (${own.sourceVersion})`;
  return [
    `Package: ${own.package}`,
    "Status: install ok installed",
    "Maintainer: The Drydock sample images",
    `Architecture: ${own.architecture}`,
    ...(isOwnSource ? [] : [`Source: ${own.source}${sourceVersion}`]),
    `Version: ${own.version}`,
    `Description: ${own.package} in name alone`,
    "",
  ].join("\n");
}

/** Some readers skip the last line of a paragraph, so that it must be one that does not matter. */
function apkParagraph(own: SamplePackage): string {
  return [
    `P:${own.package}`,
    `V:${own.version}`,
    `A:${own.architecture}`,
    `o:${own.source}`,
    `T:${own.package} in name alone`,
    "",
  ].join("\n");
}
