import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { dpkgStatusFile, osReleaseFile } from "@drydock/demo/images/package-files.ts";
import { type TarFile, writeTar } from "@drydock/demo/images/tar-writer.ts";

/** The known vulnerability of the base layer's one package. */
export const knownCve = "CVE-2021-3156";

const oci = "application/vnd.oci.image";
const docker = "application/vnd.docker";

/** Media types of manifests and what they name. */
export const types = {
  manifest: `${oci}.manifest.v1+json`,
  index: `${oci}.index.v1+json`,
  config: `${oci}.config.v1+json`,
  layer: `${oci}.layer.v1.tar+gzip`,
  dockerManifest: `${docker}.distribution.manifest.v2+json`,
  dockerLayer: `${docker}.image.rootfs.diff.tar.gzip`,
} as const;

/** Bytes under their digest. */
export interface OddBlob {
  digest: string;
  bytes: Buffer;
}

/** The bytes under their digest. */
export function blobOf(bytes: Buffer | string): OddBlob {
  const all = Buffer.from(bytes);
  return { digest: `sha256:${createHash("sha256").update(all).digest("hex")}`, bytes: all };
}

/** A layer of those files. */
export function layerOf(files: TarFile[]): OddBlob {
  return blobOf(gzipSync(writeTar(files)));
}

/** The release file of a Debian. */
export function debian(versionId: string): TarFile {
  return osReleaseFile({ NAME: "Debian GNU/Linux", ID: "debian", VERSION_ID: versionId });
}

const sudoVersion = "1.8.27-1+deb10u2";
/** The package with the vulnerability. */
export const sudo = {
  ...{ package: "sudo", version: sudoVersion, source: "sudo", sourceVersion: sudoVersion, architecture: "amd64" },
};

/** A layer of that Debian with one package. */
export function sudoOf(versionId: string): OddBlob {
  return layerOf([debian(versionId), dpkgStatusFile([sudo])]);
}

/** A layer with one package that has one known vulnerability. */
export const baseLayer = sudoOf("10");

/** The configuration of an image for that platform. */
export function configFor(architecture: string, layers: readonly OddBlob[] = [baseLayer], variant?: string): OddBlob {
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  return blobOf(JSON.stringify({ architecture, os: "linux", ...(variant && { variant }), config: {}, rootfs }));
}

/** What the manifest names. */
export function descriptorOf({ digest, bytes }: OddBlob, mediaType: string, more: object = {}) {
  return { mediaType, digest, size: bytes.length, ...more };
}

/** An OCI manifest of the base layer; what is given goes before. */
export function manifestOf(config: OddBlob, more: object = {}, layers: readonly OddBlob[] = [baseLayer]): object {
  return {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptorOf(config, types.config),
    layers: layers.map((layer) => descriptorOf(layer, types.layer)),
    ...more,
  };
}
