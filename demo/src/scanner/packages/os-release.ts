/** The variables of an os-release file, e.g. ID and VERSION_ID (os-release(5)). */
export type OsRelease = ReadonlyMap<string, string>;

/** Reads an os-release file; lines that are no assignment are skipped. */
export function readOsRelease(text: string): OsRelease {
  const assignments = text.matchAll(/^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/gm);
  return new Map([...assignments].map(([, name = "", value = ""]) => [name, unquoted(value)]));
}

function unquoted(value: string): string {
  const match = /^(["'])(.*)\1$/.exec(value);
  if (match === null) return value;
  return (match[2] ?? "").replace(/\\(["'$`\\])/g, "$1");
}
