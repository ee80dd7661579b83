import { type ImageIndex, type Manifest, withConfig } from "../domain/image-manifest.ts";
import type { IndexEntry } from "../domain/index-entry.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { formatPlatform, platformOfConfig } from "../domain/platform.ts";
import type { Platform } from "../domain/report.ts";
import type { ImageRegistry } from "./image-registry.ts";
import { type ImageSelector, type ResolvedImage, resolveImage } from "./resolve-image.ts";

/** Which images of an index: those for some platforms, or all. */
export interface PlatformsSelector extends Omit<ImageSelector, "platform"> {
  platforms: readonly Platform[] | "all";
}

/** An entry of an index that is not scanned, or a platform that was asked for and is not there. */
export interface SkippedEntry {
  /** Its digest or the platform. */
  name: string;
  /** Why, for people. */
  why: string;
}

/** The images to scan, each digest once, and what is left out. */
export interface ResolvedImages {
  images: ResolvedImage[];
  skipped: SkippedEntry[];
}

/** As many reports as a job may store. */
const maxImages = 64;
const maxDepth = 3;
/** Manifests fetched for one scan: twice as many as images, as builders add an attestation to each. */
const maxFetches = 2 * maxImages + 8;
/** Layers of all images together, so that no index of an attacker fills the worker's memory. */
const maxLayers = 20_000;

/**
 * Finds the manifests to scan of the platforms asked for. What an entry is, its manifest and its configuration decide, never
 * a hint. When nothing is an image, the result is that of `resolveImage`.
 * @throws JobFailure PLATFORM_UNKNOWN when there is no image for any of the platforms
 */
export async function resolvePlatforms(
  registry: ImageRegistry,
  { platforms, ...rest }: PlatformsSelector,
  signal: AbortSignal,
): Promise<ResolvedImages> {
  const remembering = withMemory(registry, rest.reference);
  const top = await remembering.getManifest(rest.repository, rest.reference, signal);
  const found =
    platforms === "all" && top.kind === "index"
      ? await walkIndex({ registry, repository: rest.repository, signal }, top)
      : await resolveEach(remembering, { ...rest, platforms: platforms === "all" ? [undefined] : platforms }, signal);
  if (found.images.length > 0) return found;
  const single = await resolveImage(remembering, { ...rest, platform: undefined }, signal);
  return { images: [single], skipped: found.skipped.filter(({ name }) => name !== single.manifest.digest) };
}

interface EachSelector extends Omit<ImageSelector, "platform"> {
  platforms: readonly (Platform | undefined)[];
}

async function resolveEach(
  registry: ImageRegistry,
  { platforms, ...rest }: EachSelector,
  signal: AbortSignal,
): Promise<ResolvedImages> {
  const images = new Map<string, ResolvedImage>();
  const missing: { platform: Platform | undefined; failure: JobFailure }[] = [];
  for (const platform of platforms) {
    const found = await resolveImage(registry, { ...rest, platform }, signal).catch(unlessUnknown);
    if (found instanceof JobFailure) missing.push({ platform, failure: found });
    else if (!images.has(found.manifest.digest)) images.set(found.manifest.digest, found);
  }
  const [first] = missing;
  if (images.size === 0 && first !== undefined) throw first.failure;
  const skipped = missing.map(({ platform }) => {
    const name = platform === undefined ? "" : formatPlatform(platform);
    return { name, why: `there is no image for ${name}` };
  });
  return { images: [...images.values()], skipped };
}

function unlessUnknown(error: unknown): JobFailure {
  if (error instanceof JobFailure && error.reason === "PLATFORM_UNKNOWN") return error;
  throw error;
}

/** Where to look, and for whom. */
interface Place {
  registry: ImageRegistry;
  repository: string;
  signal: AbortSignal;
}

/** The position of an index below others. */
interface Branch {
  depth: number;
  /** The platform that the entry above names. */
  platform: Platform | undefined;
}

/** Looks at all entries of an index, in its order, nested indexes included. */
class IndexWalk implements ResolvedImages {
  readonly images: ResolvedImage[] = [];
  readonly skipped: SkippedEntry[] = [];
  readonly #place: Place;
  readonly #top: ImageIndex;
  readonly #seen: Set<string>;
  #layers = 0;

  constructor(place: Place, top: ImageIndex) {
    this.#place = place;
    this.#top = top;
    this.#seen = new Set([top.digest]);
  }

  async visit(index = this.#top, branch: Branch = { depth: 0, platform: undefined }): Promise<void> {
    for (const entry of index.entries) {
      if (this.#seen.has(entry.digest)) continue;
      const why = await this.#look(entry, branch);
      if (why !== undefined) this.skipped.push({ name: entry.digest || "an entry", why });
    }
  }

  /** Why the entry is left out; undefined if it is not. */
  async #look(entry: IndexEntry, branch: Branch): Promise<string | undefined> {
    if (entry.digest === "") return "it has no digest that can be checked";
    if (this.#seen.size >= maxFetches || this.images.length >= maxImages) return "one of too many";
    this.#seen.add(entry.digest);
    const platform = entry.platform ?? branch.platform;
    const manifest = await fetchListed(this.#place, entry.digest);
    if (manifest === undefined) return "the registry does not have it";
    if (manifest.kind !== "index") return this.#take(await settle(this.#place, manifest, platform));
    if (branch.depth >= maxDepth) return "an index too deep inside others";
    await this.visit(manifest, { depth: branch.depth + 1, platform });
    return undefined;
  }

  #take({ manifest, platform }: Omit<ResolvedImage, "indexDigest">): string | undefined {
    if (manifest.kind === "other") return manifest.why;
    this.#layers += manifest.layers.length;
    if (this.#layers > maxLayers && this.images.length > 0) return "one with too many layers";
    this.images.push({ manifest, platform, indexDigest: this.#top.digest });
    return undefined;
  }
}

async function walkIndex(place: Place, top: ImageIndex): Promise<ResolvedImages> {
  const walk = new IndexWalk(place, top);
  await walk.visit();
  return walk;
}

async function fetchListed({ registry, repository, signal }: Place, digest: string): Promise<Manifest | undefined> {
  try {
    return await registry.getManifest(repository, digest, signal);
  } catch (error) {
    if (error instanceof JobFailure && error.reason === "MANIFEST_UNKNOWN") return undefined;
    throw error;
  }
}

/** Reads the configuration for what is not known yet: whether the manifest is an image, and for which platform. */
async function settle(
  { registry, repository, signal }: Place,
  manifest: Exclude<Manifest, ImageIndex>,
  platform: Platform | undefined,
): Promise<Omit<ResolvedImage, "indexDigest">> {
  if (manifest.kind === "other" || (platform !== undefined && manifest.doubt === undefined))
    return { manifest, platform };
  try {
    const config = await registry.getConfig(repository, manifest.configDigest, signal);
    return { manifest: withConfig(manifest, config), platform: platform ?? platformOfConfig(config) };
  } catch (error) {
    if (!(error instanceof JobFailure) || error.retryable) throw error;
    return { manifest, platform };
  }
}

/** The registry, asked once for what the reference names and once in a row for a configuration: several platforms need both. */
function withMemory(registry: ImageRegistry, reference: string): ImageRegistry {
  let top: Promise<Manifest> | undefined;
  let config: { digest: string; bytes: Promise<Uint8Array> } | undefined;
  return {
    url: registry.url,
    getManifest: (repository, wanted, signal) => {
      if (wanted !== reference) return registry.getManifest(repository, wanted, signal);
      top ??= registry.getManifest(repository, wanted, signal);
      return top;
    },
    getConfig: (repository, digest, signal) => {
      if (config?.digest !== digest) config = { digest, bytes: registry.getConfig(repository, digest, signal) };
      return config.bytes;
    },
    hasBlob: (repository, digest, signal) => registry.hasBlob(repository, digest, signal),
    blobUrl: (repository, digest) => registry.blobUrl(repository, digest),
    blobHeaders: (repository, signal, renew) => registry.blobHeaders(repository, signal, renew),
  };
}
