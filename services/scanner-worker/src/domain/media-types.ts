/** The types that list manifests. */
export const indexTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);

/** The types of single manifests. An OCI one may be an artifact too. */
export const manifestTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);

/** The types of Docker's first schema, which is not scanned. */
export const schema1Types: ReadonlySet<string> = new Set([
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/vnd.docker.distribution.manifest.v1+json",
]);

/** The types of an image's configuration. */
export const configTypes: ReadonlySet<string> = new Set([
  "application/vnd.docker.container.image.v1+json",
  "application/vnd.oci.image.config.v1+json",
]);

/** The type of the configuration `{}` that artifacts have (OCI image-spec 1.1, "Guidance for an empty descriptor"). */
export const emptyType = "application/vnd.oci.empty.v1+json";

/**
 * How a layer is stored. `untyped`: its type does not say, its bytes will; `foreign`: not in the registry;
 * `encrypted`: needs a key; `unknown`: not of a file system.
 */
export type LayerFormat = "tar" | "tar+gzip" | "tar+zstd" | "untyped" | "foreign" | "encrypted" | "unknown";

/** Types of an archive or of just any bytes: a layer of one may be a file system. */
const untypedLayers: ReadonlySet<string> = new Set([
  "",
  "application/gzip",
  "application/octet-stream",
  "application/tar",
  "application/tar+gzip",
  "application/x-gzip",
  "application/x-tar",
  "application/x-tar+gzip",
  "binary/octet-stream",
]);

const layerFormats: Readonly<Record<string, LayerFormat>> = {
  "application/vnd.docker.image.rootfs.diff.tar": "tar",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "tar+gzip",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "tar+zstd",
  "application/vnd.oci.image.layer.v1.tar": "tar",
  "application/vnd.oci.image.layer.v1.tar+gzip": "tar+gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd": "tar+zstd",
  "application/vnd.docker.image.rootfs.foreign.diff.tar": "foreign",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "foreign",
  "application/vnd.oci.image.layer.nondistributable.v1.tar": "foreign",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "foreign",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "foreign",
};

/** How a layer of this type is stored (OCI image-spec "Layer media types", Docker's schema 2). */
export function layerFormat(mediaType: string): LayerFormat {
  const type = bareType(mediaType);
  if (type.endsWith("+encrypted")) return "encrypted";
  if (untypedLayers.has(type)) return "untyped";
  return Object.hasOwn(layerFormats, type) ? (layerFormats[type] ?? "unknown") : "unknown";
}

/** A media type without its parameters, in lower case (RFC 9110, "Media Type"). */
export function bareType(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}

/**
 * Whether a type says what a manifest or a configuration is. All types that do are in the vendor tree; others, such as
 * application/json, text/html and application/octet-stream, come from software that did not know what it stored.
 */
export function isSpecificType(mediaType: string): boolean {
  return bareType(mediaType).startsWith("application/vnd.");
}
