import { z } from "zod";
import { parseBoundedJson } from "./bounded-json.ts";
import { digestPattern } from "./image-reference.ts";
import type { IndexEntry } from "./index-entry.ts";
import { JobFailure } from "./job-failure.ts";
import {
  artifactManifestType,
  bareType,
  buildCacheType,
  indexTypes,
  isSpecificType,
  type LayerFormat,
  layerFormat,
  manifestTypes,
  schema1Types,
} from "./media-types.ts";
import { type Doubt, doubtOf, isImageConfig, notesOnConfig } from "./not-an-image.ts";
import type { CoverageNote } from "./report.ts";

/** A manifest as the registry sent it, its digest already checked. */
export interface RawManifest {
  digest: string;
  /** The answer's Content-Type; empty if it had none. */
  contentType: string;
  body: Uint8Array;
}

/** The most layers of an image. Docker takes 127; containerd as many as fit the options of a mount, some 500. */
const maxLayers = 1_000;
/** The most manifests of an index. */
const maxEntries = 10_000;

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
  /** Why a report on it is not FULL, whatever the scanner finds. Default: nothing. */
  readonly coverageNotes?: readonly CoverageNote[];
  /** Set when the media types do not tell whether it is an image: its configuration does, see `withConfig`. */
  readonly doubt?: Doubt | undefined;
}

/** A layer as a manifest lists it. */
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
  /** In the index's order, whatever may be an image or an index. */
  readonly entries: readonly IndexEntry[];
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

// An optional field that is null or of the wrong type is read as a missing one.
const text = z.string().catch("");
const descriptor = z.object({
  mediaType: text,
  digest: z.string().regex(digestPattern),
  size: z.number().int().nonnegative().catch(0),
  artifactType: text,
});
const word = z.string().max(64).catch("");
const platform = z.object({ os: word, architecture: word, variant: word });
const emptyEntry = { mediaType: "", digest: "", artifactType: "", platform: undefined, annotations: undefined };
const indexEntry = z
  .object({
    mediaType: text,
    digest: descriptor.shape.digest.catch(""),
    artifactType: text,
    platform: platform.optional().catch(undefined),
    annotations: z.record(z.string(), z.unknown()).optional().catch(undefined),
  })
  .catch(emptyEntry);
const indexShape = z.object({ manifests: z.array(z.unknown()).nullish() });
const imageShape = z.object({ artifactType: text, config: descriptor, layers: z.array(descriptor).nullish() });
const anyShape = z.looseObject({ mediaType: text });

type Body = z.infer<typeof anyShape>;

/**
 * Reads a manifest (OCI image-spec 1.1; Docker image manifest version 2, schema 2).
 * @throws JobFailure MANIFEST_INVALID when it breaks the specification or is no manifest at all
 */
export function parseManifest(raw: RawManifest): Manifest {
  const body = readJson(raw.body);
  checkCounts(body);
  const mediaType = decideType(raw.contentType, body);
  const base = { digest: raw.digest, mediaType };
  if (indexTypes.has(mediaType)) return parseIndex(base, body);
  if (manifestTypes.has(mediaType)) return parseImage(base, body);
  const note = mediaType === artifactManifestType ? "not_an_image" : "unsupported_manifest";
  return { kind: "other", ...base, note, why: `a manifest of type ${mediaType}` };
}

function readJson(body: Uint8Array): Body {
  try {
    return anyShape.parse(parseBoundedJson(body));
  } catch {
    throw invalid("is no JSON object, or has more in it than any");
  }
}

/** Before any entry is looked at: millions of faults would take all memory. */
function checkCounts({ layers, manifests }: Body): void {
  const [layerCount, entryCount] = [lengthOf(layers), lengthOf(manifests)];
  if (layerCount > maxLayers)
    throw invalid(`lists ${layerCount} layers; no runtime takes that many, and ${maxLayers} are the most here`);
  if (entryCount > maxEntries) throw invalid(`lists ${entryCount} manifests; ${maxEntries} are the most here`);
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/**
 * The type of a manifest: what its body is decides, as only the body is under the digest. Content-Type and mediaType
 * choose between the types of the same shape, and name what has no known shape.
 */
function decideType(contentType: string, body: Body): string {
  if (hasItems(body.manifests) && hasItems(body.layers)) throw invalid(ambiguity);
  const stated = [body.mediaType, contentType].filter(isSpecificType).map(bareType);
  const types = typesOfShape(body);
  const ofShape = stated.find((type) => types.has(type)) ?? [...types][0];
  if (ofShape !== undefined) return ofShape;
  const type = stated.find((type) => !schema1Types.has(type)) ?? "";
  const isKnown = indexTypes.has(type) || manifestTypes.has(type);
  if (isKnown || (type !== "" && (isSpecificType(body.mediaType) || "schemaVersion" in body))) return type;
  throw invalid("is none: it has no type and no shape of one");
}

/** The types that a body of this shape may have, the usual one first; none if it has no known shape. */
function typesOfShape(body: Body): ReadonlySet<string> {
  if (hasItems(body.manifests)) return indexTypes;
  if (imageShape.safeParse(body).success) return manifestTypes;
  if (Array.isArray(body.manifests) && !hasItems(body.layers)) return indexTypes;
  return body.schemaVersion === 1 || "fsLayers" in body ? schema1Types : new Set();
}

/**
 * The list of manifests may be missing if the body names an index in another way. A build cache may be an index as well,
 * of its layers and its configuration.
 */
function parseIndex(base: { digest: string; mediaType: string }, body: Body): ImageIndex | OtherManifest {
  const parsed = indexShape.safeParse(body);
  const isIndex = Array.isArray(body.manifests) || body.schemaVersion === 2 || indexTypes.has(bareType(body.mediaType));
  if (!parsed.success || !isIndex) throw invalid("is an index without a list of manifests");
  if (hasItems(body.layers)) throw invalid("lists layers but has no valid config");
  const entries = (parsed.data.manifests ?? []).filter((entry) => entry !== null).map(readEntry);
  if (isBuildCache(entries)) return { kind: "other", ...base, note: "not_an_image", why: "a build cache" };
  return { kind: "index", ...base, entries };
}

function isBuildCache(entries: readonly IndexEntry[]): boolean {
  const mayBeImage = ({ isDoubtful, platform }: IndexEntry) => !isDoubtful || platform !== undefined;
  return entries.some(({ mediaType }) => mediaType === buildCacheType) && !entries.some(mayBeImage);
}

function readEntry(value: unknown): IndexEntry {
  const { digest, artifactType, annotations, platform, ...rest } = indexEntry.parse(value);
  const mediaType = bareType(rest.mediaType);
  const isIndex = indexTypes.has(mediaType);
  const isTyped = isIndex || manifestTypes.has(mediaType);
  const isAttestation = annotations?.["vnd.docker.reference.type"] === "attestation-manifest";
  const isUnknown = platform?.os === "unknown" && platform.architecture === "unknown";
  const hasPlatform = platform !== undefined && platform.os !== "" && platform.architecture !== "" && !isUnknown;
  const isDoubtful = artifactType !== "" || isAttestation || isUnknown || !isTyped;
  return { digest, mediaType, isIndex, isDoubtful, platform: hasPlatform ? platform : undefined };
}

function parseImage(base: { digest: string; mediaType: string }, body: Body): ImageManifest {
  const parsed = imageShape.safeParse(body);
  if (!parsed.success) throw invalid("has no valid config and layers");
  const { config, artifactType } = parsed.data;
  const layers = (parsed.data.layers ?? []).map(({ digest, mediaType, size }) => {
    return { digest, mediaType, sizeBytes: size, format: layerFormat(mediaType) };
  });
  const doubt = doubtOf({ configType: config.mediaType, artifactType, layers });
  const coverageNotes = notesOnConfig(config.mediaType);
  return { kind: "image", ...base, configDigest: config.digest, layers, coverageNotes, doubt };
}

/** The manifest, classified by its configuration as well. */
export function withConfig(manifest: ImageManifest, config: Uint8Array): ImageManifest | OtherManifest {
  const { digest, mediaType, doubt } = manifest;
  if (doubt === undefined || isImageConfig(config, doubt)) return manifest;
  return { kind: "other", digest, mediaType, note: "not_an_image", why: doubt.why };
}

/** Clients would disagree about what such a body is (CVE-2021-41190). */
const ambiguity = "lists both manifests and layers";

function hasItems(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

function invalid(what: string): JobFailure {
  return new JobFailure("MANIFEST_INVALID", `the manifest ${what}`, { retryable: false });
}
