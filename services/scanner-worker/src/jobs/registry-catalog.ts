import type { CatalogPage, ListedTag, ResolvedTag } from "../domain/registry-listing.ts";

export type { CatalogPage, LeftOut, ListedTag, ResolvedTag } from "../domain/registry-listing.ts";

/**
 * What a scan of all images needs of a registry: its repositories and their tags. A registry that is a Harbor is asked by
 * Harbor's API, which gives digests with the tags. All of it throws JobFailure, or the signal's reason when that aborts.
 */
export interface RegistryCatalog {
  /** Its base URL, without credentials. */
  readonly url: string;
  /**
   * The names of the repositories that the credential may see, a page at a time; a page may be empty though others follow.
   * @param from `next` of the page before; undefined for the first
   */
  listRepositories(from: string | undefined, signal: AbortSignal): Promise<CatalogPage<string>>;
  /**
   * The tags of a repository, a page at a time; a repository without tags has an empty page. Images without a tag are among
   * them, where the registry tells of such.
   * @param from `next` of the page before; undefined for the first
   */
  listTags(repository: string, from: string | undefined, signal: AbortSignal): Promise<CatalogPage<ListedTag>>;
  /** What a tag points at, by HEAD; undefined when it is gone meanwhile. */
  resolveTag(repository: string, tag: string, signal: AbortSignal): Promise<ResolvedTag | undefined>;
}
