import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import type { CatalogPage, ListedTag, RegistryCatalog } from "../registry-catalog.ts";
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

/** What to walk through. */
export interface Walk {
  catalog: RegistryCatalog;
  parameters: ScanAllParameters;
  signal: AbortSignal;
}

/** How many tags come at once at most. */
const maxTags = 500;

/**
 * Walks through the repositories and tags that the parameters want, page by page, from the cursor on. Names are put in order
 * within a page, so that a cursor is a name: a list that comes in another order the next time leaves nothing out.
 * Failures are told, not thrown.
 */
export async function* walkCatalog(walk: Walk, from: Cursor): AsyncGenerator<Slice | Unlisted | BrokenOff> {
  let at: Cursor = from;
  for (;;) {
    const { page, after, begun } = at;
    const listed = await listRepositories(walk, page).catch((error: unknown) => ({ error }));
    if ("error" in listed) {
      yield { repository: undefined, error: listed.error };
      return;
    }
    const names = [...new Set(listed.items)].sort().filter((name) => name > after && isChosen(walk.parameters, name));
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
    if (listed.next === undefined) return;
    at = { page: listed.next, after: "" };
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
    const listed = await walk.catalog.listTags(place.repository, page, walk.signal);
    const next: TagPlace | undefined = listed.next === undefined ? undefined : { page: listed.next, after: "" };
    const tags = chosenOf(walk, listed.items).filter(({ tag }) => tag > after);
    for (const part of partsOf(tags)) {
      const last = part.at(-1)?.tag;
      const goOn = last === tags.at(-1)?.tag ? next : { page, after: last ?? "" };
      yield { repository: place.repository, isFirst, tags: part, isByName: false, cursor: cursorAt(place, goOn) };
      isFirst = false;
    }
    at = next;
  }
}

/** Where in the tags of a repository to go on. */
type TagPlace = Pick<NonNullable<Cursor["begun"]>, "page" | "after">;

function cursorAt({ repository, before, done }: Place, goOn: TagPlace | undefined): Cursor {
  return goOn === undefined ? done : { ...before, begun: { repository, ...goOn } };
}

/** One empty part when there are no tags. */
function partsOf(tags: readonly ListedTag[]): (readonly ListedTag[])[] {
  const parts = Math.max(1, Math.ceil(tags.length / maxTags));
  return Array.from({ length: parts }, (_, part) => tags.slice(part * maxTags, (part + 1) * maxTags));
}

/** All pages are read for it, and only the newest tags are kept meanwhile. */
async function newestOf(walk: Walk, { repository, done }: Place, count: number): Promise<Slice> {
  const newest = new NewestTags(count);
  let page: string | undefined;
  do {
    const listed = await walk.catalog.listTags(repository, page, walk.signal);
    newest.add(chosenOf(walk, listed.items));
    page = listed.next;
  } while (page !== undefined);
  return { repository, isFirst: true, tags: newest.tags, isByName: !newest.hasTimes, cursor: done };
}

/** The tags that the parameters want, each once, in order. */
function chosenOf({ parameters }: Walk, tags: readonly ListedTag[]): ListedTag[] {
  const byName = new Map(tags.filter(({ tag }) => isWanted(parameters, tag)).map((tag) => [tag.tag, tag]));
  return [...byName.values()].sort((a, b) => (a.tag < b.tag ? -1 : 1));
}
