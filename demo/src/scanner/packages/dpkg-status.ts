import type { InstalledPackage } from "./installed-package.ts";

/** Reads var/lib/dpkg/status or a file of var/lib/dpkg/status.d: the packages that are really installed. */
export function readDpkgStatus(text: string): InstalledPackage[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = readFields(paragraph);
    const name = fields.get("package");
    const version = fields.get("version");
    if (name === undefined || version === undefined || !isInstalled(fields.get("status"))) return [];
    const source = readSource(fields.get("source"), { name, version });
    return [{ name, version, architecture: fields.get("architecture") ?? "", source }];
  });
}

function readFields(paragraph: string): Map<string, string> {
  const fields = paragraph.matchAll(/^([A-Za-z0-9-]+):[ \t]*(.*?)\s*$/gm);
  return new Map([...fields].map(([, name = "", value = ""]) => [name.toLowerCase(), value]));
}

/** The third word counts: "deinstall ok config-files" is a package that was removed. status.d has no such field. */
function isInstalled(status: string | undefined): boolean {
  return status === undefined || status.split(/\s+/)[2] === "installed";
}

/** `name` or `name (version)`; without the field a package is its own source. */
function readSource(field: string | undefined, own: InstalledPackage["source"]): InstalledPackage["source"] {
  const match = /^(\S+)(?:\s+\((.+)\))?$/.exec(field ?? "");
  if (match === null) return own;
  return { name: match[1] ?? own.name, version: match[2] ?? own.version };
}
