import { decompressed } from "./decompressed.ts";
import { readTar, type TarLimits } from "./tar-reader.ts";

/** What a layer does to the files that somebody wants to know about. */
export interface LayerFiles {
  /** The wanted files that the layer brings, by path without a leading slash. */
  files: Map<string, Buffer>;
  /** The paths that it removes, each with everything below it. */
  removed: string[];
  /** The directories of which it hides everything that lower layers brought. */
  opaque: string[];
}

const whiteout = ".wh.";
const opaqueMarker = ".wh..wh..opq";

/**
 * Reads a layer's archive, gzipped or plain, as it comes.
 * @throws ArchiveDamagedError, ArchiveLimitError, or whatever the source throws
 */
export async function readLayerFiles(
  source: AsyncIterable<Uint8Array>,
  isWanted: (path: string) => boolean,
  limits: TarLimits,
): Promise<LayerFiles> {
  const layer: LayerFiles = { files: new Map(), removed: [], opaque: [] };
  for await (const entry of readTar(decompressed(source), limits)) {
    const path = cleanPath(entry.path);
    const cut = path.lastIndexOf("/") + 1;
    const directory = path.slice(0, cut);
    const name = path.slice(cut);
    if (name === opaqueMarker) layer.opaque.push(directory);
    else if (name.startsWith(whiteout)) layer.removed.push(directory + name.slice(whiteout.length));
    else if (entry.kind === "file" && isWanted(path)) layer.files.set(path, await entry.content());
  }
  return layer;
}

/** Whether the layer takes away a file that a lower layer brought. */
export function hides(layer: LayerFiles, path: string): boolean {
  return (
    layer.removed.some((removed) => path === removed || path.startsWith(`${removed}/`)) ||
    layer.opaque.some((directory) => path.startsWith(directory))
  );
}

function cleanPath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
