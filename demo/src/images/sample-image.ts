import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type TarFile, writeTar } from "./tar-writer.ts";

/** Bytes that a manifest names by their digest. */
export interface Blob {
  /** sha256:… */
  digest: string;
  bytes: Buffer;
}

/** An image, or another artifact, as a registry stores it. */
export interface SampleImage {
  repository: string;
  tag: string;
  /** What it shows, in a few words. */
  description: string;
  mediaType: string;
  manifest: Buffer;
  /** The manifest's. */
  digest: string;
  /** Its configuration first, then its layers from the base up; none of an index. */
  blobs: Blob[];
  /** What an index lists, each with its digest for a tag. */
  listed: SampleImage[];
}

interface MediaTypes {
  index: string;
  manifest: string;
  config: string;
  layer: string;
}

const dockerTypes: MediaTypes = {
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

const ociTypes: MediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

const helmTypes: MediaTypes = {
  ...ociTypes,
  config: "application/vnd.cncf.helm.config.v1+json",
  layer: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
};

type Label = Pick<SampleImage, "repository" | "tag" | "description">;

/** What an image is for, and in whose format. */
interface ImageOptions {
  format?: "docker" | "oci";
  architecture?: "amd64" | "arm64";
}

/** In whose format an index is, and what its images are for. */
interface IndexOptions {
  format?: "docker" | "oci";
  /** For each image, e.g. linux/amd64. */
  platforms?: readonly string[];
}

/** Builds an image for linux of layers, base first. Equal files give equal digests. */
export function buildImage(
  label: Label,
  layers: TarFile[][],
  { format = "docker", architecture = "amd64" }: ImageOptions = {},
): SampleImage {
  const archives = layers.map(writeTar);
  const config = {
    architecture,
    os: "linux",
    created: "2026-01-01T00:00:00Z",
    config: { Cmd: ["/bin/sh"] },
    rootfs: { type: "layers", diff_ids: archives.map(digestOf) },
  };
  return assemble(label, format === "oci" ? ociTypes : dockerTypes, config, archives);
}

/** Builds an index of images; without platforms, only their configurations tell what each is for. */
export function buildIndex(
  label: Label,
  images: SampleImage[],
  { format = "oci", platforms = [] }: IndexOptions,
): SampleImage {
  const { index: indexType } = format === "oci" ? ociTypes : dockerTypes;
  const manifests = images.map(({ manifest, mediaType }, index) => {
    const [os, architecture] = platforms[index]?.split("/") ?? [];
    const platform = os === undefined ? {} : { platform: { os, architecture } };
    return { ...descriptorOf(blobOf(manifest), mediaType), ...platform };
  });
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
  const listed = images.map((image) => ({ ...image, repository: label.repository, tag: image.digest }));
  return { ...label, mediaType: indexType, manifest, digest: digestOf(manifest), blobs: [], listed };
}

/** Builds a Helm chart: an artifact that is stored like an image and is none. */
export function buildHelmChart(label: Label, files: TarFile[]): SampleImage {
  const config = { apiVersion: "v2", name: label.repository.split("/").at(-1), version: label.tag };
  return assemble(label, helmTypes, config, [writeTar(files)]);
}

function assemble(label: Label, types: MediaTypes, config: object, archives: Buffer[]): SampleImage {
  const configBlob = blobOf(Buffer.from(JSON.stringify(config)));
  const layerBlobs = archives.map((archive) => blobOf(gzipSync(archive)));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: descriptorOf(configBlob, types.config),
      layers: layerBlobs.map((blob) => descriptorOf(blob, types.layer)),
    }),
  );
  return {
    ...label,
    mediaType: types.manifest,
    manifest,
    digest: digestOf(manifest),
    blobs: [configBlob, ...layerBlobs],
    listed: [],
  };
}

function blobOf(bytes: Buffer): Blob {
  return { digest: digestOf(bytes), bytes };
}

function descriptorOf({ digest, bytes }: Blob, mediaType: string): object {
  return { mediaType, digest, size: bytes.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
