import { z } from "zod";
import { isRepository, tagPattern } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { CatalogPage, ListedTag } from "../domain/registry-listing.ts";
import { errorOf, isSuccess } from "./errors.ts";
import { nextLink } from "./link.ts";
import { LeftOutNotes, maxPageBytes, readJson } from "./list-page.ts";
import { listInvalid, nextCursor, type PageCursor } from "./page-cursor.ts";
import { pullScope, type RegistryAccess, type RegistryRequest, type RegistryResponse } from "./registry-access.ts";

/** A list of names, and how it is asked for. */
interface NameList {
  /** For people. */
  list: string;
  /** Path after the base, without a query. */
  path: string;
  scope: string;
  /** Whether there are registries without it. */
  isOptional: boolean;
  /** Where the names are in the answer. */
  field: "repositories" | "tags";
  isName: (text: string) => boolean;
  cursor: PageCursor | undefined;
  signal: AbortSignal;
}

/** How many names a page should have; registries with a lower limit give fewer, or answer PAGINATION_NUMBER_INVALID. */
const usualSize = 1_000;
const smallSize = 100;
const refused = new Set([401, 403, 404, 405]);
const anyObject = z.looseObject({});
const names = z.array(z.unknown()).nullish();

/** The lists of any registry: of repositories by Docker's catalog, and of tags (OCI distribution-spec 1.1, "Listing Tags"). */
export class V2Catalog {
  readonly #access: RegistryAccess;
  #size = usualSize;

  constructor(access: RegistryAccess) {
    this.#access = access;
  }

  /** @throws JobFailure CATALOG_REFUSED when the registry has no such list, or does not show it; others, see docs/errors.md */
  async listRepositories(cursor: PageCursor | undefined, signal: AbortSignal): Promise<CatalogPage<string>> {
    const wanted: NameList = {
      list: "the registry's list of repositories",
      path: "/v2/_catalog",
      scope: "registry:catalog:*",
      isOptional: true,
      field: "repositories",
      isName: isRepository,
      cursor,
      signal,
    };
    const response = await this.#ask(wanted).catch((error: unknown) => {
      throw inCatalogWords(error);
    });
    if (isSuccess(response)) return toPage(wanted, response);
    const code = errorOf(response)?.code ?? "";
    if (!refused.has(response.status) && code !== "UNSUPPORTED") throw this.#access.refusal(wanted.list, response);
    const detail = [response.status, code].filter((part) => part !== "").join(" ");
    const message = `the registry does not let the worker list its repositories (${detail}); ${catalogRemedy}`;
    throw new JobFailure("CATALOG_REFUSED", message, { retryable: false });
  }

  /** @throws JobFailure, see docs/errors.md */
  async listTags(
    repository: string,
    cursor: PageCursor | undefined,
    signal: AbortSignal,
  ): Promise<CatalogPage<ListedTag>> {
    const wanted: NameList = {
      list: `the registry's list of the tags of ${repository}`,
      path: `/v2/${repository}/tags/list`,
      scope: pullScope(repository),
      isOptional: false,
      field: "tags",
      isName: (text) => tagPattern.test(text),
      cursor,
      signal,
    };
    const response = await this.#ask(wanted);
    // A repository without tags is unknown to some registries.
    if (response.status === 404) return { items: [], next: undefined };
    if (!isSuccess(response)) throw this.#access.refusal(wanted.list, response);
    const { items, ...rest } = toPage(wanted, response);
    const unresolved = { digest: undefined, mediaType: undefined, pushedAt: undefined };
    return { items: items.map((tag) => ({ tag, ...unresolved })), ...rest };
  }

  async #ask(wanted: NameList): Promise<RegistryResponse> {
    const { path, scope, isOptional, cursor, signal } = wanted;
    const send = (query: string) => {
      const request: RegistryRequest = { method: "GET", path, scope, isOptional, maxBytes: maxPageBytes, signal };
      return this.#access.send({ ...request, path: `${path}?${query}` });
    };
    if (cursor !== undefined) return await send(cursor.at);
    const size = this.#size;
    const response = await send(`n=${size}`);
    const isTooMany = response.status === 400 && errorOf(response)?.code === "PAGINATION_NUMBER_INVALID";
    if (!isTooMany || size === smallSize) return response;
    this.#size = smallSize;
    return await send(`n=${smallSize}`);
  }
}

function toPage(wanted: NameList, response: RegistryResponse): CatalogPage<string> {
  const { list, field, isName, cursor } = wanted;
  const body = anyObject.safeParse(readJson(list, response));
  const listed = names.safeParse(body.data?.[field]);
  if (!body.success || !listed.success) throw listInvalid(list, `has no ${field} in it`);
  const notes = new LeftOutNotes();
  const items = new Set<string>();
  for (const name of listed.data ?? []) {
    if (typeof name === "string" && isName(name)) items.add(name);
    else notes.add(name, field === "tags" ? "is no tag" : "is no name of a repository");
  }
  const next = nextQuery(wanted, response);
  return {
    items: [...items],
    next: next === undefined ? undefined : nextCursor(list, cursor, { by: "v2", at: next }),
    ...notes.toLeftOut(),
  };
}

/** The query of the next page. The path stays ours: registries below a path of their proxy name theirs. */
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

const catalogRemedy = "name repositories in the parameters";

/** A registry that gives the worker no token for the catalog may let it read repositories. */
function inCatalogWords(error: unknown): unknown {
  if (!(error instanceof JobFailure) || error.reason !== "REGISTRY_AUTH_REJECTED") return error;
  const { message, fault, closesType } = error;
  const hints = { fault, closesType, faultIfProbePasses: "job", cause: error } as const;
  return new JobFailure("CATALOG_REFUSED", `${message}; or ${catalogRemedy}`, { retryable: false, ...hints });
}
