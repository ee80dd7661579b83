import type { ImageIndex, ImageManifest, OtherManifest } from "../domain/image-manifest.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { chooseEntry, formatPlatform } from "../domain/platform.ts";
import type { Platform } from "../domain/report.ts";
import type { ImageRegistry } from "./image-registry.ts";

/** What to look for. */
export interface ImageWish {
  repository: string;
  /** A tag or a digest. */
  reference: string;
  /** The platform asked for; undefined takes the default one. */
  platform: Platform | undefined;
}

/** The one manifest that is scanned. */
export interface ResolvedImage {
  manifest: ImageManifest | OtherManifest;
  platform: Platform | undefined;
  /** The digest of the index that led to it; empty if none did. */
  indexDigest: string;
}

const maxDepth = 3;

/**
 * Finds the manifest to scan. A tag is looked up once; whatever an index names is fetched by digest.
 * @throws JobFailure PLATFORM_UNKNOWN when an index has no image for the platform asked for
 */
export async function resolveImage(
  registry: ImageRegistry,
  wish: ImageWish,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const { repository } = wish;
  let manifest = await registry.getManifest(repository, wish.reference, signal);
  const indexDigest = manifest.kind === "index" ? manifest.digest : "";
  let platform: Platform | undefined;
  for (let depth = 0; manifest.kind === "index"; depth += 1) {
    if (manifest.entries.length === 0) return { manifest: emptyIndex(manifest), platform, indexDigest };
    const entry = chooseEntry(manifest, wish.platform);
    if (entry === undefined || depth === maxDepth) throw platformUnknown(manifest, wish);
    platform = entry.platform ?? platform;
    manifest = await registry.getManifest(repository, entry.digest, signal);
  }
  return { manifest, platform, indexDigest };
}

function emptyIndex({ digest, mediaType }: ImageIndex): OtherManifest {
  return { kind: "other", digest, mediaType, note: "not_an_image", why: "an index that lists no image" };
}

function platformUnknown({ entries }: ImageIndex, { repository, platform }: ImageWish): JobFailure {
  const wanted = platform === undefined ? "any platform" : formatPlatform(platform);
  const offered = entries.flatMap((entry) => (entry.platform === undefined ? [] : [formatPlatform(entry.platform)]));
  const message = `the index in ${repository} has no image for ${wanted}; it has ${offered.join(", ") || "none"}`;
  return new JobFailure("PLATFORM_UNKNOWN", message, { retryable: false });
}
