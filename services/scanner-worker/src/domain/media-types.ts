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
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
]);

/** The type of artifact manifests, which drafts of OCI image-spec 1.1 had. */
export const artifactManifestType = "application/vnd.oci.artifact.manifest.v1+json";

/** The types of an image's configuration. */
export const configTypes: ReadonlySet<string> = new Set([
  "application/vnd.docker.container.image.v1+json",
  "application/vnd.oci.image.config.v1+json",
]);

/** The type of the configuration `{}` that artifacts have (OCI image-spec 1.1, "Guidance for an empty descriptor"). */
export const emptyType = "application/vnd.oci.empty.v1+json";

/** The configuration type of BuildKit's cache, whose layers come from many builds and make up no image. */
export const buildCacheType = "application/vnd.buildkit.cacheconfig.v0";

/**
 * How a layer is stored. `untyped`: only its bytes tell; `foreign`: not in the registry;
 * `encrypted`: needs a key; `file`: one file, such as a document; `unknown`: a vendor's own type.
 */
export type LayerFormat = "tar" | "tar+gzip" | "tar+zstd" | "untyped" | "foreign" | "encrypted" | "file" | "unknown";

/** The formats of layers that are part of a file system. */
export const fileSystemFormats: readonly LayerFormat[] = ["tar", "tar+gzip", "tar+zstd", "foreign", "encrypted"];

/** Types of SBOMs, attestations, signatures and WebAssembly modules. */
const fileType = /\+(?:json|xml|yaml|wasm)$|^(?:application\/(?:cose|wasm)|text\/spdx)$/;

/** Types of a vendor, or misspelt ones, that name an archive. */
const tarType = /[.+](?:tar(?:[.+]gz(?:ip)?)?|tgz)$/;

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
  if (Object.hasOwn(layerFormats, type)) return layerFormats[type] ?? "unknown";
  if (fileType.test(type)) return "file";
  return isSpecificType(type) && !tarType.test(type) ? "unknown" : "untyped";
}

/** A media type without its parameters, in lower case (RFC 9110, "Media Type"). */
export function bareType(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}

/**
 * Whether a type names a kind of manifest, configuration or layer. Such types are all in the vendor tree; others, such as
 * application/json, text/html and application/octet-stream, come from software that did not know what it stored.
 */
export function isSpecificType(mediaType: string): boolean {
  return bareType(mediaType).startsWith("application/vnd.");
}
