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

/**
 * How a layer is stored. `foreign`: not in the registry; `encrypted`: needs a key; `unknown`: not of a file system.
 */
export type LayerFormat = "tar" | "tar+gzip" | "tar+zstd" | "foreign" | "encrypted" | "unknown";

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
  if (mediaType.endsWith("+encrypted")) return "encrypted";
  return Object.hasOwn(layerFormats, mediaType) ? (layerFormats[mediaType] ?? "unknown") : "unknown";
}

/** Whether a Content-Type says nothing about a manifest. */
export function isGenericType(mediaType: string): boolean {
  return ["", "application/json", "application/octet-stream", "text/plain"].includes(mediaType);
}
