import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import { JobFailure } from "../../domain/job-failure.ts";
import type { CatalogPage, LeftOut, ListedTag, RegistryCatalog } from "../registry-catalog.ts";
import type { Cursor } from "./checkpoint.ts";
import type { ScanAllParameters } from "./parameters.ts";
import { isWanted, NewestTags } from "./tag-choice.ts";

/** A repository, or a part of its tags. */
export interface Slice {
  repository: string;
  /** Whether it is the repository's first. */
  isFirst: boolean;
  tags: readonly ListedTag[];
  /** Whether the tags are the newest by name alone, as the registry does not tell when they were pushed. */
  isByName: boolean;
  /** How many further tags the parameters do not want, whatever their age. */
  passedOver: number;
  leftOut: readonly LeftOut[];
  /** Where to go on after it. */
  cursor: Cursor;
}

/** A repository whose tags could not be listed. */
export interface Unlisted {
  repository: string;
  isFirst: boolean;
  error: unknown;
  /** Where to go on after it. */
  cursor: Cursor;
}

/** A page of repositories that could not be listed. The walk is over. */
export interface BrokenOff {
  repository: undefined;
  error: unknown;
}

/** A page of repositories is done. */
export interface PageEnd {
  repository: undefined;
  /** What the registry left out of it. */
  leftOut: readonly LeftOut[];
  /** How many of its repositories the parameters do not want. */
  passedOver: number;
  /** Where to go on after the page. */
  cursor: Cursor;
}

/** A step of a walk. */
export type WalkItem = Slice | Unlisted | BrokenOff | PageEnd;

/** What to walk through. */
export interface Walk {
  catalog: RegistryCatalog;
  parameters: ScanAllParameters;
  signal: AbortSignal;
}

const none = { leftOut: [], passedOver: 0 };
/** How many tags come at once at most. */
const maxTags = 500;

/**
 * Walks through the repositories and tags that the parameters want, page by page, from the cursor on. Names are put in order
 * within a page, so that a cursor is a name: a list that comes in another order the next time leaves nothing out.
 * Failures are told, not thrown.
 */
export async function* walkCatalog(walk: Walk, from: Cursor): AsyncGenerator<WalkItem> {
  let at: Cursor = from;
  for (;;) {
    const { page, after, begun } = at;
    const listed = await listRepositories(walk, page).catch((error: unknown) => ({ error }));
    if ("error" in listed) {
      yield { repository: undefined, error: listed.error };
      return;
    }
    const chosen = [...new Set(listed.items)].sort().filter((name) => isChosen(walk.parameters, name));
    const passedOver = new Set(listed.items).size - chosen.length;
    const names = chosen.filter((name) => name > after);
    let before: Cursor = { page, after };
    for (const repository of names) {
      const done = { page, after: repository };
      yield* walkRepository(walk, {
        repository,
        before,
        done,
        begun: begun?.repository === repository ? begun : undefined,
      });
      before = done;
    }
    at = listed.next === undefined ? before : { page: listed.next, after: "" };
    yield { repository: undefined, leftOut: leftOutOf(listed), passedOver, cursor: at };
    if (listed.next === undefined) return;
  }
}

function isChosen({ include, exclude = [] }: ScanAllParameters, name: string): boolean {
  const fits = (globs: readonly string[]) => globs.some((glob) => fitsGlob(glob, name));
  return (include === undefined || fits(include)) && !fits(exclude);
}

async function listRepositories(walk: Walk, page: string | undefined): Promise<CatalogPage<string>> {
  const { catalog, parameters, signal } = walk;
  if (parameters.repositories !== undefined) return { items: parameters.repositories, next: undefined };
  return await catalog.listRepositories(page, signal);
}

interface Place {
  repository: string;
  /** Where in its tags to go on; undefined when it was not begun. */
  begun: Cursor["begun"];
  /** The cursors before and after the repository. */
  before: Cursor;
  done: Cursor;
}

async function* walkRepository(walk: Walk, place: Place): AsyncGenerator<Slice | Unlisted> {
  try {
    if (walk.parameters.newest_tags === undefined) yield* walkTags(walk, place);
    else yield await newestOf(walk, place, walk.parameters.newest_tags);
  } catch (error) {
    yield { repository: place.repository, isFirst: place.begun === undefined, error, cursor: place.done };
  }
}

async function* walkTags(walk: Walk, place: Place): AsyncGenerator<Slice> {
  let at: TagPlace | undefined = place.begun ?? { page: undefined, after: "" };
  let isFirst = place.begun === undefined;
  while (at !== undefined) {
    const { page, after }: TagPlace = at;
    const listed = await listTags(walk, place.repository, page);
    const next: TagPlace | undefined = listed.next === undefined ? undefined : { page: listed.next, after: "" };
    for (const { tags, last } of partsOf(chosenOf(walk, listed.items).filter((tag) => nameOf(tag) > after))) {
      const cursor = cursorAt(place, last === undefined ? next : { page, after: last });
      const rest = last === undefined ? { leftOut: leftOutOf(listed), passedOver: unwanted(walk, listed.items) } : none;
      yield { repository: place.repository, isFirst, tags, isByName: false, ...rest, cursor };
      isFirst = false;
    }
    at = next;
  }
}

/** Many registries do not tell an unknown repository from an empty one: one that the parameters name should be neither. */
async function listTags(walk: Walk, repository: string, page: string | undefined): Promise<CatalogPage<ListedTag>> {
  const { catalog, parameters, signal } = walk;
  const listed = await catalog.listTags(repository, page, signal);
  const isEmpty = listed.items.length === 0 && listed.next === undefined && listed.leftOut === undefined;
  if (parameters.repositories === undefined || page !== undefined || !isEmpty) return listed;
  throw new JobFailure("REPOSITORY_UNKNOWN", "the registry has no such repository, or no tag in it", {
    retryable: false,
  });
}

/** Where in the tags of a repository to go on. */
type TagPlace = Pick<NonNullable<Cursor["begun"]>, "page" | "after">;

function cursorAt({ repository, before, done }: Place, goOn: TagPlace | undefined): Cursor {
  return goOn === undefined ? done : { ...before, begun: { repository, ...goOn } };
}

/** Parts of a page of tags, at least one, and the last name of each but the last. */
function partsOf(tags: readonly ListedTag[]): { tags: readonly ListedTag[]; last: string | undefined }[] {
  const count = Math.max(1, Math.ceil(tags.length / maxTags));
  return Array.from({ length: count }, (_, number) => {
    const part = tags.slice(number * maxTags, (number + 1) * maxTags);
    return { tags: part, last: number === count - 1 ? undefined : part.map(nameOf).at(-1) };
  });
}

function leftOutOf({ leftOut }: CatalogPage<unknown>): LeftOut[] {
  return leftOut === undefined ? [] : [leftOut];
}

/** All pages are read for it, and only the newest tags are kept meanwhile. */
async function newestOf(walk: Walk, { repository, done }: Place, count: number): Promise<Slice> {
  const newest = new NewestTags(count);
  const leftOut: LeftOut[] = [];
  let passedOver = 0;
  let page: string | undefined;
  do {
    const listed = await listTags(walk, repository, page);
    newest.add(chosenOf(walk, listed.items));
    leftOut.push(...leftOutOf(listed));
    passedOver += unwanted(walk, listed.items);
    page = listed.next;
  } while (page !== undefined);
  const isByName = !newest.hasTimes;
  return { repository, isFirst: true, tags: newest.tags, isByName, leftOut, passedOver, cursor: done };
}

/** The tags that the parameters want, each once, in order. */
function chosenOf({ parameters }: Walk, tags: readonly ListedTag[]): ListedTag[] {
  const byName = new Map(tags.filter(({ tag }) => isWanted(parameters, tag)).map((tag) => [nameOf(tag), tag]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tag]) => tag);
}

/** How many names do not fit the pattern. */
function unwanted({ parameters }: Walk, tags: readonly ListedTag[]): number {
  return tags.filter(({ tag }) => tag !== "" && !isWanted(parameters, tag)).length;
}

/** What tells a listed tag from the others of its repository: an image without a tag has a digest. */
function nameOf({ tag, digest }: ListedTag): string {
  return tag || (digest ?? "");
}
