import type { LayerFormat } from "./media-types.ts";
import { bareType, configTypes, emptyType, isSpecificType } from "./media-types.ts";

/** What of a manifest decides whether it is an image. */
export interface ManifestContent {
  /** The configuration's media type; empty if none is given. */
  configType: string;
  /** The manifest's own artifactType; empty if none is given. */
  artifactType: string;
  layers: ReadonlyArray<{ mediaType: string; format: LayerFormat }>;
}

/**
 * Why a manifest is no image, for people; undefined when it may be one and is scanned.
 *
 * An image is a configuration and layers that describe a file system. Rows: the configuration's type; columns: the layers.
 *
 * | configuration      | one of a file system | else one untyped | none at all | all of other types |
 * | ------------------ | -------------------- | ---------------- | ----------- | ------------------ |
 * | of an image        | image                | image            | image       | no                 |
 * | says nothing       | image                | image (1)        | image (1)   | no                 |
 * | the empty one      | image                | no               | no          | no                 |
 * | of something else  | no                   | no               | no          | no                 |
 *
 * (1) Nothing speaks for or against it here, so an artifactType decides: with one, it is no image. Everywhere else an
 * artifactType changes nothing. A type says nothing when it is missing or outside the vendor tree (`isSpecificType`).
 * One layer of an image that cannot be read makes its report PARTIAL, whatever the layer is.
 */
export function whyNotAnImage({ configType, artifactType, layers }: ManifestContent): string | undefined {
  const config = kindOfConfig(configType);
  const artifact = artifactType === "" ? undefined : `an artifact of type ${artifactType}`;
  if (config === "other") return artifact ?? `an artifact with a config of type ${configType}`;
  if (layers.some(({ format }) => format !== "unknown" && format !== "untyped")) return undefined;
  if (config === "empty") return artifact ?? "an artifact with an empty config";
  if (layers.length > 0 && layers.every(({ format }) => format === "unknown")) return artifact ?? nameOf(layers);
  return config === "image" ? undefined : artifact;
}

function kindOfConfig(configType: string): "image" | "generic" | "empty" | "other" {
  const type = bareType(configType);
  if (configTypes.has(type)) return "image";
  if (type === emptyType) return "empty";
  return isSpecificType(type) ? "other" : "generic";
}

function nameOf(layers: ManifestContent["layers"]): string {
  const types = new Set(layers.map(({ mediaType }) => bareType(mediaType)));
  if (types.has("application/vnd.in-toto+json")) return "an attestation";
  return "a manifest without file system layers";
}
