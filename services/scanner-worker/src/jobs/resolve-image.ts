import {
  type ImageIndex,
  type ImageManifest,
  type Manifest,
  type OtherManifest,
  withConfig,
} from "../domain/image-manifest.ts";
import type { IndexEntry } from "../domain/index-entry.ts";
import { JobFailure } from "../domain/job-failure.ts";
import {
  defaultPlatform,
  formatPlatform,
  isSamePlatform,
  platformOfConfig,
  rankEntries,
  rankPlatform,
} from "../domain/platform.ts";
import type { Platform } from "../domain/report.ts";
import type { ImageRegistry } from "./image-registry.ts";

/** Which image of a registry. */
export interface ImageSelector {
  repository: string;
  /** A tag or a digest. */
  reference: string;
  /** The platform asked for; undefined takes the default one. */
  platform: Platform | undefined;
}

/** The one manifest that is scanned. */
export interface ResolvedImage {
  manifest: ImageManifest | OtherManifest;
  /** The platform by the index, or else by the configuration; undefined if neither names one. */
  platform: Platform | undefined;
  /** The digest of the index that led to it; empty if none did. */
  indexDigest: string;
}

const maxDepth = 3;

/** Manifests fetched for one scan, so that no index of an attacker makes the worker fetch without end. */
const maxFetches = 32;

type Found = Omit<ResolvedImage, "indexDigest">;

/** The search for the image in all branches of an index. */
interface Search {
  registry: ImageRegistry;
  selector: ImageSelector;
  signal: AbortSignal;
  /** Whether an index leads to the image: one of several is chosen. */
  isChoice: boolean;
  /** Digests of the manifests that were fetched. */
  seen: Set<string>;
  /** By digest, the manifests that are no index though their entries name one. */
  mislabelled: Map<string, Manifest>;
  /** The best image so far, scanned if none is for exactly the requested platform, or the default one. */
  fallback: { found: Found; rank: number } | undefined;
  /** A manifest that is no image, though its entry fits: the result if there is no image. */
  other: Found | undefined;
  /** The failure to fetch a manifest that an index lists. */
  missing: JobFailure | undefined;
  /** The platforms that were found, for the message. */
  offered: Set<string>;
}

/**
 * Finds the manifest to scan. A tag is looked up once; whatever an index names is fetched by digest. All branches of an
 * index are searched; what turns out to be no image gives way to the next that may be one.
 * @throws JobFailure PLATFORM_UNKNOWN when there is no image for the platform asked for
 */
export async function resolveImage(
  registry: ImageRegistry,
  selector: ImageSelector,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const manifest = await registry.getManifest(selector.repository, selector.reference, signal);
  const seen = new Set([manifest.digest]);
  const nothing = { fallback: undefined, other: undefined, missing: undefined };
  const isChoice = manifest.kind === "index";
  const search: Search = {
    ...{ registry, selector, signal, isChoice, seen, offered: new Set(), mislabelled: new Map() },
    ...nothing,
  };
  const indexDigest = manifest.kind === "index" ? manifest.digest : "";
  if (manifest.kind === "index" && manifest.entries.length === 0)
    return { manifest: emptyIndex(manifest), platform: undefined, indexDigest };
  const exact =
    manifest.kind === "index"
      ? await findIn(search, manifest, { depth: 0, platform: undefined })
      : await take(search, manifest, undefined);
  const found = exact ?? search.fallback?.found;
  if (found !== undefined) return { ...found, indexDigest };
  if (search.missing !== undefined) throw search.missing;
  if (search.other !== undefined) return { ...search.other, indexDigest };
  throw platformUnknown(search, isChoice ? "the index" : "the image");
}

/** The position of a search in the tree of indexes. */
interface Branch {
  depth: number;
  /** The platform that the entry above names; entries of this index override it. */
  platform: Platform | undefined;
}

async function findIn(search: Search, index: ImageIndex, branch: Branch): Promise<Found | undefined> {
  const { selector } = search;
  for (const entry of rankEntries(await listImages(search, index, branch), selector.platform)) {
    const manifest = search.mislabelled.get(entry.digest) ?? (await fetchListed(search, entry));
    if (manifest === undefined) continue;
    const found =
      manifest.kind === "index"
        ? await findIn(search, manifest, { depth: branch.depth + 1, platform: entry.platform })
        : await take(search, manifest, entry.platform);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Lists the manifests below an index, nested indexes included; ends early at an exact fit. */
async function listImages(search: Search, index: ImageIndex, branch: Branch): Promise<IndexEntry[]> {
  const entries = index.entries.map((entry) => ({ ...entry, platform: entry.platform ?? branch.platform }));
  const images = entries.filter(({ isIndex }) => !isIndex);
  for (const { platform } of images) if (platform !== undefined) search.offered.add(formatPlatform(platform));
  const nested = entries.filter(({ isIndex }) => isIndex);
  if (branch.depth >= maxDepth) {
    if (nested.length > 0) search.missing ??= tooMany(search);
    return images;
  }
  const wanted = search.selector.platform ?? defaultPlatform;
  const fits = ({ platform, isDoubtful }: IndexEntry) =>
    platform !== undefined && !isDoubtful && isSamePlatform(platform, wanted);
  // Indexes of other platforms are searched last: the entries inside may name other platforms.
  for (const entry of new Set([...rankEntries(nested, search.selector.platform), ...nested])) {
    if (images.some(fits)) break;
    images.push(...(await listBranch(search, entry, branch.depth + 1)));
  }
  return images;
}

/** The manifest behind an entry that names an index. */
async function listBranch(search: Search, entry: IndexEntry, depth: number): Promise<IndexEntry[]> {
  const below = await fetchListed(search, entry);
  if (below === undefined) return [];
  if (below.kind === "index") return await listImages(search, below, { depth, platform: entry.platform });
  search.mislabelled.set(entry.digest, below);
  return [entry];
}

/** Undefined when it was fetched before, or cannot be fetched; `missing` then has the failure. */
async function fetchListed(search: Search, { digest }: IndexEntry): Promise<Manifest | undefined> {
  const { registry, selector, signal, seen } = search;
  if (seen.has(digest)) return undefined;
  if (digest === "" || seen.size >= maxFetches) {
    search.missing ??= digest === "" ? withoutDigest(search) : tooMany(search);
    return undefined;
  }
  seen.add(digest);
  try {
    return await registry.getManifest(selector.repository, digest, signal);
  } catch (error) {
    if (!(error instanceof JobFailure) || error.reason !== "MANIFEST_UNKNOWN") throw error;
    search.missing ??= error;
    return undefined;
  }
}

/** Reads the configuration for what is not known yet: whether the manifest is an image, and for which platform. */
async function take(
  search: Search,
  manifest: ImageManifest | OtherManifest,
  stated: Platform | undefined,
): Promise<Found | undefined> {
  if (manifest.kind === "other") return noteOther(search, manifest, stated);
  const isKnown = stated !== undefined && manifest.doubt === undefined;
  const config = isKnown ? undefined : await readConfig(search, manifest, stated);
  const settled = config === undefined ? manifest : withConfig(manifest, config);
  if (settled.kind === "other") return noteOther(search, settled, stated);
  const platform = stated ?? (config && platformOfConfig(config));
  const isSure = manifest.doubt === undefined || config !== undefined;
  const best = offer(search, { manifest: settled, platform }, isSure);
  return stated === undefined || !isSure ? best.exact : best.any;
}

/**
 * Keeps the image if it is the best so far: `exact` is for the platform asked for, or for the default one. An image that
 * stays in doubt comes after others of its platform.
 */
function offer(search: Search, found: Found, isSure: boolean): { exact?: Found | undefined; any?: Found | undefined } {
  const { selector, offered } = search;
  if (found.platform !== undefined) offered.add(formatPlatform(found.platform));
  else if (selector.platform !== undefined) return {};
  const platformRank = rankPlatform(found.platform, selector.platform);
  if (platformRank === undefined) return {};
  const rank = isSure ? platformRank : platformRank + 0.5;
  if (search.fallback === undefined || rank < search.fallback.rank) search.fallback = { found, rank };
  return { exact: rank === 0 ? found : undefined, any: search.fallback.found };
}

/** Keeps a manifest that is no image as the result without an image; one of an unsupported kind replaces others. */
function noteOther(search: Search, manifest: OtherManifest, platform: Platform | undefined): undefined {
  const { selector, isChoice, other } = search;
  if (isChoice && platform === undefined && selector.platform !== undefined) return;
  if (other === undefined || manifest.note === "unsupported_manifest") search.other = { manifest, platform };
}

/**
 * The configuration; undefined when it cannot be fetched and no choice depends on it, as the storage of the registry's
 * blobs may be out of the worker's reach.
 */
async function readConfig(
  { registry, selector, signal, isChoice }: Search,
  { configDigest }: ImageManifest,
  stated: Platform | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await registry.getConfig(selector.repository, configDigest, signal);
  } catch (error) {
    if (!(error instanceof JobFailure) || (isChoice && error.retryable)) throw error;
    if (stated === undefined && selector.platform !== undefined) throw error;
    return undefined;
  }
}

function emptyIndex({ digest, mediaType }: ImageIndex): OtherManifest {
  return { kind: "other", digest, mediaType, note: "not_an_image", why: "an index that lists no image" };
}

function withoutDigest({ selector }: Search): JobFailure {
  const message = `the index in ${selector.repository} lists a manifest without a digest by sha256 or sha512: it cannot be fetched`;
  return new JobFailure("MANIFEST_INVALID", message, { retryable: false });
}

function tooMany({ selector }: Search): JobFailure {
  const limits = `${maxFetches} manifests and ${maxDepth} levels of indexes`;
  const message = `no image was found in ${selector.repository} among the first ${limits}; name the image by its digest`;
  return new JobFailure("PLATFORM_UNKNOWN", message, { retryable: false });
}

function platformUnknown({ selector, offered }: Search, what: string): JobFailure {
  const wanted = selector.platform === undefined ? "any platform" : formatPlatform(selector.platform);
  const has = [...offered].slice(0, 20).join(", ") || "none";
  const message = `${what} in ${selector.repository} is not for ${wanted}; it has ${has}`;
  return new JobFailure("PLATFORM_UNKNOWN", message, { retryable: false });
}
