/** A page of a list that a registry gives. */
export interface CatalogPage<T> {
  readonly items: readonly T[];
  /** Where the next page begins, to be handed to the same call; undefined when there is none. Short enough for a checkpoint: at most 4 KiB. */
  readonly next: string | undefined;
  /** What is not among the items though the registry has it. Default: nothing. */
  readonly leftOut?: LeftOut;
}

/** What was left out of a page: names that break the grammar, entries of no known form, projects that may not be read. */
export interface LeftOut {
  readonly count: number;
  /** The first of them with the cause, for a log; at most 10. */
  readonly examples: readonly string[];
}

/** A tag, and what it points at as far as the list tells; or an image that has no tag. */
export interface ListedTag {
  /** Empty for an image without a tag, which then has a digest. Only Harbor's API tells of such. */
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
