import { z } from "zod";
import { parseBoundedJson } from "./bounded-json.ts";
import {
  bareType,
  buildCacheType,
  configTypes,
  emptyType,
  fileSystemFormats,
  isSpecificType,
  type LayerFormat,
} from "./media-types.ts";
import { platformOfConfig } from "./platform.ts";
import type { CoverageNote } from "./report.ts";

/** The parts of a manifest that decide whether it is an image. */
export interface ManifestContent {
  /** The configuration's media type; empty if none is given. */
  configType: string;
  /** The manifest's own artifactType; empty if none is given. It decides nothing, and names what is no image. */
  artifactType: string;
  layers: ReadonlyArray<{ mediaType: string; format: LayerFormat }>;
}

/** Why a manifest may be no image. Its configuration decides. */
export interface Doubt {
  /** The kind of content if it is no image, for people. */
  why: string;
  /** Whether each layer is of a type of single files: signatures have `rootfs` in their configuration too. */
  hasOnlyFiles: boolean;
}

/**
 * What speaks against a manifest being an image; undefined when it is one.
 *
 * An image is a configuration and layers that describe a file system. Rows: the configuration's type; columns: what its
 * layers' types name.
 *
 * | configuration    | a file system in one | else files alone | else anything, or no layers |
 * | ---------------- | -------------------- | ---------------- | --------------------------- |
 * | of an image      | image                | doubt            | image                       |
 * | names nothing    | image                | doubt            | image                       |
 * | of a vendor      | image (1)            | doubt            | doubt                       |
 * | the empty one    | image (1)            | doubt            | doubt                       |
 * | of a build cache | doubt                | doubt            | doubt                       |
 *
 * (1) The layers may not make up one file system: the report has the note `config_unknown`.
 * Types may be wrong: no manifest is "not an image" by them alone. A layer that cannot be read makes a report PARTIAL at
 * most, so what stays in doubt is scanned.
 */
export function doubtOf({ configType, artifactType, layers }: ManifestContent): Doubt | undefined {
  const config = kindOfConfig(configType);
  const formats = new Set(layers.map(({ format }) => format));
  const hasOnlyFiles = formats.size === 1 && formats.has("file");
  const hasFileSystem = fileSystemFormats.some((format) => formats.has(format));
  const isImage = hasFileSystem ? config !== "build cache" : config === "image" || config === "generic";
  if (isImage && !hasOnlyFiles) return undefined;
  const why = artifactType === "" ? nameOf(config, configType, layers) : `an artifact of type ${artifactType}`;
  return { why, hasOnlyFiles };
}

const configContent = z.object({ rootfs: z.object({ diff_ids: z.array(z.unknown()).min(1) }) });

/**
 * Whether a configuration is an image's: it names the contents of layers or a platform. Over files alone it must name
 * both: cosign's signatures and BuildKit's attestations name no platform, WebAssembly modules no contents.
 */
export function isImageConfig(config: Uint8Array, { hasOnlyFiles }: Pick<Doubt, "hasOnlyFiles">): boolean {
  const hasContents = configContent.safeParse(readJson(config)).success;
  const hasPlatform = platformOfConfig(config) !== undefined;
  return hasOnlyFiles ? hasContents && hasPlatform : hasContents || hasPlatform;
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseBoundedJson(bytes);
  } catch {
    return undefined;
  }
}

/** The coverage notes of an image with a configuration of this type. */
export function notesOnConfig(configType: string): CoverageNote[] {
  const config = kindOfConfig(configType);
  return config === "image" || config === "generic" ? [] : ["config_unknown"];
}

type ConfigKind = "image" | "generic" | "vendor" | "empty" | "build cache";

function kindOfConfig(configType: string): ConfigKind {
  const type = bareType(configType);
  if (configTypes.has(type)) return "image";
  if (type === emptyType) return "empty";
  if (type === buildCacheType) return "build cache";
  return isSpecificType(type) ? "vendor" : "generic";
}

function nameOf(config: ConfigKind, configType: string, layers: ManifestContent["layers"]): string {
  if (config === "build cache") return "a build cache";
  if (config === "empty") return "an artifact with an empty config";
  if (config === "vendor") return `an artifact with a config of type ${configType}`;
  const types = new Set(layers.map(({ mediaType }) => bareType(mediaType)));
  if (types.has("application/vnd.in-toto+json")) return "an attestation";
  return "a manifest without file system layers";
}
