import { z } from "zod";
import { digestPattern } from "./image-reference.ts";
import { JobFailure } from "./job-failure.ts";
import {
  configTypes,
  indexTypes,
  isGenericType,
  type LayerFormat,
  layerFormat,
  manifestTypes,
  schema1Types,
} from "./media-types.ts";
import type { Platform } from "./report.ts";

/** A manifest as the registry sent it, its digest already checked. */
export interface RawManifest {
  digest: string;
  /** The answer's Content-Type; empty if it had none. */
  contentType: string;
  body: Uint8Array;
}

/** What a manifest turned out to be. */
export type Manifest = ImageManifest | ImageIndex | OtherManifest;

/** A manifest of an image. */
export interface ImageManifest {
  readonly kind: "image";
  readonly digest: string;
  readonly mediaType: string;
  readonly configDigest: string;
  /** Base first; the same digest may come twice. */
  readonly layers: readonly ManifestLayer[];
}

/** A layer as a manifest tells of it. */
export interface ManifestLayer {
  readonly digest: string;
  readonly mediaType: string;
  /** As stored. */
  readonly sizeBytes: number;
  readonly format: LayerFormat;
}

/** A manifest that lists other manifests: an OCI index or a Docker manifest list. */
export interface ImageIndex {
  readonly kind: "index";
  readonly digest: string;
  readonly mediaType: string;
  /** Those that may be images: attestations, artifacts and unknown types are left out. */
  readonly entries: readonly IndexEntry[];
}

/** A manifest that an index lists. */
export interface IndexEntry {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform: Platform | undefined;
  /** Whether it is an index itself. */
  readonly isIndex: boolean;
}

/** A manifest that is not scanned. */
export interface OtherManifest {
  readonly kind: "other";
  readonly digest: string;
  readonly mediaType: string;
  readonly note: "not_an_image" | "unsupported_manifest";
  /** Why, for people. */
  readonly why: string;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const descriptor = z.object({
  mediaType: text,
  digest: z.string().regex(digestPattern),
  size: z.number().int().nonnegative().catch(0),
  artifactType: text,
});
const platform = z.object({ os: text, architecture: text, variant: text });
const indexEntry = descriptor.extend({
  platform: platform.nullish().catch(undefined),
  annotations: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});
const indexShape = z.object({ manifests: z.array(z.unknown()) });
const imageShape = z.object({ artifactType: text, config: descriptor, layers: z.array(descriptor) });
const anyShape = z.looseObject({ mediaType: text });

/**
 * Reads a manifest (OCI image-spec 1.1; Docker image manifest version 2, schema 2).
 * @throws JobFailure MANIFEST_INVALID when it breaks the specification
 */
export function parseManifest(raw: RawManifest): Manifest {
  const body = readJson(raw.body);
  const mediaType = decideType(raw.contentType, body);
  const base = { digest: raw.digest, mediaType };
  if (indexTypes.has(mediaType)) return parseIndex(base, body);
  if (manifestTypes.has(mediaType)) return parseImage(base, body);
  const why = `a manifest of type ${mediaType || "unknown"}`;
  return { kind: "other", ...base, note: schema1Types.has(mediaType) ? "unsupported_manifest" : "not_an_image", why };
}

function readJson(body: Uint8Array): z.infer<typeof anyShape> {
  try {
    return anyShape.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    throw invalid("is no JSON object");
  }
}

/** Content-Type, else the body's mediaType, else the shape (image-spec, "Media type conflicts"). */
function decideType(contentType: string, body: z.infer<typeof anyShape>): string {
  const fromHeader = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  if (isGenericType(fromHeader)) return body.mediaType === "" ? typeOfShape(body) : body.mediaType;
  if (body.mediaType !== "" && body.mediaType !== fromHeader) {
    throw invalid(`was sent as ${fromHeader} but says that it is ${body.mediaType}`);
  }
  return fromHeader;
}

function typeOfShape(body: Record<string, unknown>): string {
  if (Array.isArray(body.manifests)) return "application/vnd.oci.image.index.v1+json";
  if ("config" in body && "layers" in body) return "application/vnd.oci.image.manifest.v1+json";
  if (body.schemaVersion === 1 || "fsLayers" in body) return "application/vnd.docker.distribution.manifest.v1+json";
  return "";
}

function parseIndex(base: { digest: string; mediaType: string }, body: unknown): ImageIndex {
  const parsed = indexShape.safeParse(body);
  if (!parsed.success) throw invalid("is an index without a list of manifests");
  return { kind: "index", ...base, entries: parsed.data.manifests.flatMap(readEntry) };
}

function readEntry(value: unknown): IndexEntry[] {
  const parsed = indexEntry.safeParse(value);
  if (!parsed.success) return [];
  const { digest, mediaType, artifactType, annotations, platform } = parsed.data;
  const isIndex = indexTypes.has(mediaType);
  const isAttestation =
    annotations?.["vnd.docker.reference.type"] === "attestation-manifest" ||
    (platform?.os === "unknown" && platform.architecture === "unknown");
  const isArtifact = artifactType !== "" && !configTypes.has(artifactType);
  if (isAttestation || isArtifact || !(isIndex || manifestTypes.has(mediaType))) return [];
  return [{ digest, mediaType, isIndex, platform: platform ?? undefined }];
}

function parseImage(base: { digest: string; mediaType: string }, body: unknown): ImageManifest | OtherManifest {
  const parsed = imageShape.safeParse(body);
  if (!parsed.success) throw invalid("has no valid config and layers");
  const { config, artifactType } = parsed.data;
  const layers = parsed.data.layers.map(({ digest, mediaType, size }) => {
    return { digest, mediaType, sizeBytes: size, format: layerFormat(mediaType) };
  });
  const why = whyNoImage(config.mediaType, artifactType, layers);
  if (why !== undefined) return { kind: "other", ...base, note: "not_an_image", why };
  return { kind: "image", ...base, configDigest: config.digest, layers };
}

/** A valid image config alone is not enough: attestations and signatures have one too. */
function whyNoImage(configType: string, artifactType: string, layers: readonly ManifestLayer[]): string | undefined {
  if (artifactType !== "") return `an artifact of type ${artifactType}`;
  if (!configTypes.has(configType)) return `an artifact with a config of type ${configType || "unknown"}`;
  if (layers.some((layer) => layer.mediaType === "application/vnd.in-toto+json")) return "an attestation";
  if (layers.every((layer) => layer.format === "unknown")) return "a manifest without file system layers";
  return undefined;
}

function invalid(what: string): JobFailure {
  return new JobFailure("MANIFEST_INVALID", `the manifest ${what}`, { retryable: false });
}
