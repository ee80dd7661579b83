import type { InstalledPackage } from "./installed-package.ts";

/** Reads lib/apk/db/installed: paragraphs of lines that begin with a letter and a colon. */
export function readApkInstalled(text: string): InstalledPackage[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = new Map(paragraph.split("\n").map((line) => [line.slice(0, 2), line.slice(2).trim()]));
    const name = fields.get("P:");
    const version = fields.get("V:");
    if (!name || !version) return [];
    return [
      { name, version, architecture: fields.get("A:") ?? "", source: { name: fields.get("o:") || name, version } },
    ];
  });
}
