import {
  bareType,
  buildCacheType,
  configTypes,
  emptyType,
  fileSystemFormats,
  isSpecificType,
  type LayerFormat,
} from "./media-types.ts";
import type { CoverageNote } from "./report.ts";

/** What of a manifest decides whether it is an image. */
export interface ManifestContent {
  /** The configuration's media type; empty if none is given. */
  configType: string;
  /** The manifest's own artifactType; empty if none is given. It decides nothing, and names what is no image. */
  artifactType: string;
  layers: ReadonlyArray<{ mediaType: string; format: LayerFormat }>;
}

/**
 * Why a manifest is no image, for people; undefined when it may be one and is scanned.
 *
 * An image is a configuration and layers that describe a file system. Rows: the configuration's type; columns: what its
 * layers' types name.
 *
 * | configuration    | a file system in one | else nothing in one | else a vendor's own in one | no layers | files alone |
 * | ---------------- | -------------------- | ------------------- | -------------------------- | --------- | ----------- |
 * | of an image      | image                | image               | image                      | image     | no          |
 * | names nothing    | image                | image               | image                      | image     | no          |
 * | of a vendor      | image (1)            | image (1)           | no                         | no        | no          |
 * | the empty one    | image (1)            | no                  | no                         | no        | no          |
 * | of a build cache | no                   | no                  | no                         | no        | no          |
 *
 * (1) The layers may not make up one file system: the report has the note `config_unknown`.
 * A layer that cannot be read makes a report PARTIAL at most, so what is in doubt is an image here.
 */
export function whyNotAnImage({ configType, artifactType, layers }: ManifestContent): string | undefined {
  const config = kindOfConfig(configType);
  if (config === "build cache") return "a build cache";
  const formats = new Set(layers.map(({ format }) => format));
  if (fileSystemFormats.some((format) => formats.has(format))) return undefined;
  const hasOnlyFiles = formats.size === 1 && formats.has("file");
  if ((config === "image" || config === "generic") && !hasOnlyFiles) return undefined;
  if (config === "vendor" && formats.has("untyped")) return undefined;
  if (artifactType !== "") return `an artifact of type ${artifactType}`;
  if (config === "empty") return "an artifact with an empty config";
  return config === "vendor" ? `an artifact with a config of type ${configType}` : nameOf(layers);
}

/** The coverage notes of an image with a configuration of this type. */
export function notesOnConfig(configType: string): CoverageNote[] {
  const config = kindOfConfig(configType);
  return config === "image" || config === "generic" ? [] : ["config_unknown"];
}

function kindOfConfig(configType: string): "image" | "generic" | "vendor" | "empty" | "build cache" {
  const type = bareType(configType);
  if (configTypes.has(type)) return "image";
  if (type === emptyType) return "empty";
  if (type === buildCacheType) return "build cache";
  return isSpecificType(type) ? "vendor" : "generic";
}

function nameOf(layers: ManifestContent["layers"]): string {
  const types = new Set(layers.map(({ mediaType }) => bareType(mediaType)));
  if (types.has("application/vnd.in-toto+json")) return "an attestation";
  return "a manifest without file system layers";
}
