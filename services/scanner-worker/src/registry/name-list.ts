import { z } from "zod";
import type { CatalogPage, LeftOut } from "../domain/registry-listing.ts";
import { errorOf, isSuccess } from "./errors.ts";
import { nextLink } from "./link.ts";
import { LeftOutNotes, maxPageBytes, readJson } from "./list-page.ts";
import { listInvalid, nextCursor, type PageCursor } from "./page-cursor.ts";
import { RecentMap } from "./recent-map.ts";
import type { RegistryAccess, RegistryRequest, RegistryResponse } from "./registry-access.ts";

/** A list of names, and how it is asked for. */
export interface NameList {
  /** For people, e.g. the registry's list of repositories. */
  list: string;
  /** Path after the base, without a query. */
  path: string;
  scope: string;
  /** Whether there are registries without it. Default false. */
  isOptional?: boolean;
  /** Where the names are in the answer. */
  field: "repositories" | "tags";
  isName: (text: string) => boolean;
}

/** The names of one answer. */
interface Names {
  /** The query that was answered. */
  query: string;
  sorted: readonly string[];
  /** The query of the next answer; undefined after the last one. */
  next: string | undefined;
  leftOut: { leftOut?: LeftOut };
}

/** How many names a page has at most, and an answer should have. */
const usualSize = 1_000;
/** What is asked for where so many are too many. */
const smallSize = 100;
/** Answers with more names than a page has are kept for the pages to come: so many, for so many milliseconds. */
const maxKept = 4;
const keptMs = 300_000;

const anyObject = z.looseObject({});
const listed = z.array(z.unknown()).nullable();

/**
 * Reads lists of names (OCI distribution-spec 1.1, "Listing Tags"). Some registries answer with all names at once: the pages
 * that are made of those follow the order of names, so that each worker can go on where another one was.
 */
export class NameLists {
  readonly #access: RegistryAccess;
  readonly #kept = new RecentMap<string, Names & { until: number }>(maxKept);
  #size = usualSize;

  constructor(access: RegistryAccess) {
    this.#access = access;
  }

  /**
   * A page; the answer if it is no success.
   * @throws JobFailure LIST_INVALID; others, see docs/errors.md
   */
  async page(
    wanted: NameList,
    cursor: PageCursor | undefined,
    signal: AbortSignal,
  ): Promise<CatalogPage<string> | { refused: RegistryResponse }> {
    const [query, after = ""] = cursor?.at.split(" ") ?? [];
    const names = this.#keptNames(wanted, query, after) ?? (await this.#ask(wanted, query, signal));
    if ("refused" in names) return names;
    const { sorted, next, leftOut } = names;
    const rest = sorted.filter((name) => name > after);
    const items = rest.slice(0, usualSize);
    const at = rest.length > items.length ? `${names.query} ${items.at(-1)}` : next;
    if (sorted.length > usualSize) this.#keep(wanted, names);
    return {
      items,
      next: at === undefined ? undefined : nextCursor(wanted.list, cursor, { by: "v2", at }),
      ...(after === "" && leftOut),
    };
  }

  #keptNames({ path }: NameList, query: string | undefined, after: string): Names | undefined {
    const kept = after === "" ? undefined : this.#kept.get(`${path}?${query}`);
    return kept !== undefined && this.#access.options.clock.now() < kept.until ? kept : undefined;
  }

  #keep({ path }: NameList, names: Names): void {
    this.#kept.set(`${path}?${names.query}`, { ...names, until: this.#access.options.clock.now() + keptMs });
  }

  async #ask(
    wanted: NameList,
    query: string | undefined,
    signal: AbortSignal,
  ): Promise<Names | { refused: RegistryResponse }> {
    const asked = query ?? `n=${this.#size}`;
    const { path, scope, isOptional = false } = wanted;
    const request: RegistryRequest = { method: "GET", path, scope, isOptional, maxBytes: maxPageBytes, signal };
    const response = await this.#access.send({ ...request, path: `${path}?${asked}` });
    if (isSuccess(response)) return readNames(wanted, asked, response);
    const isTooMany = response.status === 400 && errorOf(response)?.code === "PAGINATION_NUMBER_INVALID";
    if (!isTooMany || query !== undefined || asked === `n=${smallSize}`) return { refused: response };
    this.#size = smallSize;
    return await this.#ask(wanted, undefined, signal);
  }
}

function readNames(wanted: NameList, query: string, response: RegistryResponse): Names {
  const { list, field, isName } = wanted;
  const body = anyObject.safeParse(readJson(list, response));
  const entries = listed.safeParse(body.data?.[field]);
  if (!body.success || !entries.success) throw listInvalid(list, `has no ${field} in it`);
  const notes = new LeftOutNotes();
  const found = new Set<string>();
  for (const entry of entries.data ?? []) {
    if (typeof entry === "string" && isName(entry)) found.add(entry);
    else notes.add(entry, field === "tags" ? "is no tag" : "is no name of a repository");
  }
  return { query, sorted: [...found].sort(), next: nextQuery(wanted, response), leftOut: notes.toLeftOut() };
}

/** The query of the next answer. The path stays ours: registries below a path of their proxy name theirs. */
function nextQuery({ list, path }: NameList, response: RegistryResponse): string | undefined {
  const next = nextLink(list, response);
  if (next === undefined) return undefined;
  if (!decoded(next.pathname).replace(/\/+$/, "").endsWith(path)) throw listInvalid(list, "goes on with another list");
  return next.search.slice(1);
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}
