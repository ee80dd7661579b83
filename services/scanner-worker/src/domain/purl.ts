/** What a package URL is made of. */
export interface PurlSource {
  /** The distribution's short name, e.g. debian. */
  did: string;
  /** The distribution's version, e.g. 12. */
  versionId: string;
  name: string;
  version: string;
  /** Whether the scanner names source packages where the distribution has them. */
  isSource: boolean;
}

const typeByDistribution: Readonly<Record<string, "deb" | "apk" | "rpm">> = {
  debian: "deb",
  ubuntu: "deb",
  alpine: "apk",
  centos: "rpm",
  fedora: "rpm",
};

/** The package URL (github.com/package-url/purl-spec) of a distribution's package; empty rather than guessed. */
export function purlOf(source: PurlSource): string {
  const { did, name, isSource } = source;
  const type = Object.hasOwn(typeByDistribution, did) ? typeByDistribution[did] : undefined;
  if (type === undefined || name === "" || source.version === "") return "";
  const { epoch, version } = type === "rpm" ? splitEpoch(source.version) : { epoch: "", version: source.version };
  const qualifiers = [
    ...(type === "deb" && isSource ? ["arch=source"] : []),
    `distro=${encode(`${did}-${source.versionId.replace(/^v/, "")}`)}`,
    ...(epoch === "" ? [] : [`epoch=${epoch}`]),
  ];
  return `pkg:${type}/${did}/${encode(name)}@${encode(version)}?${qualifiers.join("&")}`;
}

function splitEpoch(full: string): { epoch: string; version: string } {
  const match = /^(\d+):(.+)$/.exec(full);
  return { epoch: match?.[1] ?? "", version: match?.[2] ?? full };
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}
