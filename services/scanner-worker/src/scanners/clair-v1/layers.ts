import { createHash } from "node:crypto";
import type { ManifestLayer } from "../../domain/image-manifest.ts";

/** A layer on its way to Clair. */
export interface ChainLayer {
  /** Its place in the manifest. */
  readonly index: number;
  readonly digest: string;
  /** Its name with Clair: it says which layers lie below, so images with the same base share it. */
  readonly name: string;
  /** The name of the layer below; undefined for the base. */
  readonly parentName: string | undefined;
}

/**
 * The layers in the order in which Clair must get them, base first. A layer's name is the SHA-256 of all digests up to
 * it, each followed by "-": the digest alone would not do, as the same diff occurs in different trees.
 * Foreign layers are left out: the registry does not have them.
 */
export function prepareLayers(layers: readonly ManifestLayer[]): ChainLayer[] {
  const hash = createHash("sha256");
  const chain: ChainLayer[] = [];
  for (const [index, { digest, format }] of layers.entries()) {
    if (format === "foreign") continue;
    const name = hash.update(`${digest}-`).copy().digest("hex");
    chain.push({ index, digest, name, parentName: chain.at(-1)?.name });
  }
  return chain;
}
