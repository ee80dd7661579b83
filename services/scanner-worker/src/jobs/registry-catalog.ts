/** A page of a list that a registry gives. */
export interface CatalogPage<T> {
  readonly items: readonly T[];
  /** Where the next page begins, to be handed to the same call; undefined when there is none. Short enough for a checkpoint: at most 4 KiB. */
  readonly next: string | undefined;
}

/** A tag, and what it points at as far as the list tells. */
export interface ListedTag {
  readonly tag: string;
  /** The digest of the manifest or index; undefined when the list does not tell: ask `resolveTag`. */
  readonly digest: string | undefined;
  /** The media type of the manifest or index; undefined when the list does not tell. */
  readonly mediaType: string | undefined;
  /** When it was pushed; undefined when the list does not tell. */
  readonly pushedAt: Date | undefined;
}

/** What a tag points at. */
export interface ResolvedTag {
  readonly digest: string;
  readonly mediaType: string;
}

/**
 * What a scan of all images needs of a registry: its repositories and their tags. A registry that is a Harbor is asked by
 * Harbor's API, which gives digests with the tags. All of it throws JobFailure, or the signal's reason when that aborts.
 */
export interface RegistryCatalog {
  /** Its base URL, without credentials. */
  readonly url: string;
  /**
   * The names of the repositories that the credential may see, a page at a time.
   * @param from `next` of the page before; undefined for the first
   */
  listRepositories(from: string | undefined, signal: AbortSignal): Promise<CatalogPage<string>>;
  /**
   * The tags of a repository, a page at a time; a repository without tags has an empty page.
   * @param from `next` of the page before; undefined for the first
   */
  listTags(repository: string, from: string | undefined, signal: AbortSignal): Promise<CatalogPage<ListedTag>>;
  /** What a tag points at, by HEAD; undefined when it is gone meanwhile. */
  resolveTag(repository: string, tag: string, signal: AbortSignal): Promise<ResolvedTag | undefined>;
}
