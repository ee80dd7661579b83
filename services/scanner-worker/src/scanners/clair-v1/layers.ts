import { createHash } from "node:crypto";
import type { ManifestLayer } from "../../domain/image-manifest.ts";
import type { LayerFormat } from "../../domain/media-types.ts";
import type { CoverageNote, Layer } from "../../domain/report.ts";

/** A layer that Clair is given. */
export interface ChainLayer {
  /** The layer's index in the manifest. */
  readonly index: number;
  readonly digest: string;
  /** The layer's name with Clair, derived from the layer and all below it: images with the same base share it. */
  readonly name: string;
  /** The name of the layer below; undefined for the base. */
  readonly parentName: string | undefined;
}

/** Clair 2.x finds out for itself how a layer is compressed, but does not know zstd. */
const formatsRead: readonly LayerFormat[] = ["tar", "tar+gzip", "untyped"];

/**
 * The layers in the order in which Clair must get them, base first. A layer's name is the SHA-256 of all digests up to
 * it, each followed by "-": a layer's digest alone is not unique, as the same layer occurs on different bases.
 * Layers that Clair can't get or read are left out, see `notesOnSkipped`.
 */
export function prepareLayers(layers: readonly ManifestLayer[]): ChainLayer[] {
  const hash = createHash("sha256");
  const chain: ChainLayer[] = [];
  for (const [index, { digest, format }] of layers.entries()) {
    if (!formatsRead.includes(format)) continue;
    const name = hash.update(`${digest}-`).copy().digest("hex");
    chain.push({ index, digest, name, parentName: chain.at(-1)?.name });
  }
  return chain;
}

const namePattern = /^[0-9a-f]{64}$/;

/** The layers that Clair was given for a report, base first; undefined when it was not Clair, or none. */
export function storedLayers(layers: readonly Layer[]): ChainLayer[] | undefined {
  const chain: ChainLayer[] = [];
  for (const { index, digest, clairName: name } of layers) {
    if (name === "") continue;
    if (!namePattern.test(name)) return undefined;
    chain.push({ index, digest, name, parentName: chain.at(-1)?.name });
  }
  return chain.length === 0 ? undefined : chain;
}

/** The coverage notes for layers that are left out; empty when none is. */
export function notesOnSkipped(layers: readonly ManifestLayer[]): CoverageNote[] {
  const skipped = layers.filter(({ format }) => !formatsRead.includes(format));
  const notes = skipped.map(({ format }) => (format === "foreign" ? "foreign_layer_skipped" : "unsupported_layer"));
  return [...new Set<CoverageNote>(notes)];
}
