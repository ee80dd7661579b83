/** A package URL (https://github.com/package-url/purl-spec), as far as it matters for images and their packages. */
export interface PackageUrl {
  /** E.g. oci or deb, in lower case. */
  readonly type: string;
  /** Empty if there is none. */
  readonly namespace: string;
  readonly name: string;
  /** Empty if there is none. */
  readonly version: string;
  readonly qualifiers: ReadonlyMap<string, string>;
}

/** Reads a package URL; undefined when the text is none. */
export function readPackageUrl(text: string): PackageUrl | undefined {
  const [, type = "", path = "", version = "", query = ""] =
    /^pkg:\/*([A-Za-z][A-Za-z0-9.+-]*)\/([^?#@]+)(?:@([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/.exec(text) ?? [];
  try {
    const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
    const name = parts.pop() ?? "";
    if (type === "" || name === "") return undefined;
    const qualifiers = new Map(query.split("&").filter(Boolean).map(toQualifier));
    const whole = { type: type.toLowerCase(), namespace: parts.join("/"), name, qualifiers };
    return { ...whole, version: decodeURIComponent(version) };
  } catch {
    // a percent sign without its digits
    return undefined;
  }
}

function toQualifier(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 0) return [pair.toLowerCase(), ""];
  return [pair.slice(0, at).toLowerCase(), decodeURIComponent(pair.slice(at + 1))];
}
