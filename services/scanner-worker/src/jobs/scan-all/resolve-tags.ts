import { JobFailure } from "../../domain/job-failure.ts";
import type { FoundImage } from "../../ports/job.ts";
import { inParallel } from "../in-parallel.ts";
import type { ListedTag, RegistryCatalog } from "../registry-catalog.ts";

/** How many tags are asked for at once. */
const maxAtOnce = 8;

/** What the tags of a repository point at. */
export interface ResolvedTags {
  /** By digest, in the order of the tags. */
  images: FoundImage[];
  /** Tags that could not be read, and why. */
  failures: { tag: string; failure: JobFailure }[];
  /** How many tags are gone. */
  gone: number;
}

/**
 * Finds the digest of each tag: by the list, or else by HEAD. A tag that is gone meanwhile is left out. A failure that is one
 * tag's is told; any other is thrown, as it concerns the repository or more.
 */
export async function resolveTags(
  catalog: RegistryCatalog,
  { repository, tags }: { repository: string; tags: readonly ListedTag[] },
  signal: AbortSignal,
): Promise<ResolvedTags> {
  const byDigest = new Map<string, string[]>();
  const failures: ResolvedTags["failures"] = [];
  const digests = await inParallel(tags, maxAtOnce, async ({ tag, digest }) => {
    if (digest !== undefined) return digest;
    try {
      return (await catalog.resolveTag(repository, tag, signal))?.digest;
    } catch (error) {
      if (!(error instanceof JobFailure) || error.fault !== "job") throw error;
      failures.push({ tag, failure: error });
      return undefined;
    }
  });
  for (const [place, { tag }] of tags.entries()) {
    const digest = digests[place];
    if (digest === undefined) continue;
    const own = byDigest.get(digest) ?? [];
    byDigest.set(digest, tag === "" ? own : [...own, tag]);
  }
  const images = [...byDigest].map(([digest, own]) => ({ repository, digest, tags: own }));
  const resolved = digests.filter((digest) => digest !== undefined).length;
  return { images, failures, gone: tags.length - resolved - failures.length };
}
