import { isRepository, tagPattern } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { CatalogPage, ListedTag } from "../domain/registry-listing.ts";
import { errorOf } from "./errors.ts";
import { type NameList, NameLists } from "./name-list.ts";
import type { PageCursor } from "./page-cursor.ts";
import { pullScope, type RegistryAccess, type RegistryResponse } from "./registry-access.ts";

const catalog: NameList = {
  list: "the registry's list of repositories",
  path: "/v2/_catalog",
  scope: "registry:catalog:*",
  isOptional: true,
  field: "repositories",
  isName: isRepository,
};
const catalogRemedy = "name repositories in the parameters";
const refusals = new Set([401, 403, 404, 405]);

/** The lists of any registry: of repositories by Docker's catalog, and of tags. */
export class V2Catalog {
  readonly #access: RegistryAccess;
  readonly #lists: NameLists;

  constructor(access: RegistryAccess) {
    this.#access = access;
    this.#lists = new NameLists(access);
  }

  /** @throws JobFailure CATALOG_REFUSED when the registry has no such list, or does not show it; others, see docs/errors.md */
  async listRepositories(cursor: PageCursor | undefined, signal: AbortSignal): Promise<CatalogPage<string>> {
    const page = await this.#lists.page(catalog, cursor, signal).catch((error: unknown) => {
      throw inCatalogWords(error);
    });
    if ("refused" in page) throw this.#catalogRefusal(page.refused);
    return page;
  }

  /** @throws JobFailure, see docs/errors.md */
  async listTags(
    repository: string,
    cursor: PageCursor | undefined,
    signal: AbortSignal,
  ): Promise<CatalogPage<ListedTag>> {
    const list = `the registry's list of the tags of ${repository}`;
    const path = `/v2/${repository}/tags/list`;
    const isName = (text: string) => tagPattern.test(text);
    const wanted: NameList = { list, path, scope: pullScope(repository), field: "tags", isName };
    const page = await this.#lists.page(wanted, cursor, signal);
    if (!("refused" in page)) {
      const unresolved = { digest: undefined, mediaType: undefined, pushedAt: undefined };
      return { ...page, items: page.items.map((tag) => ({ tag, ...unresolved })) };
    }
    // A repository without tags is unknown to some registries.
    if (page.refused.status === 404) return { items: [], next: undefined };
    throw this.#access.refusal(list, page.refused);
  }

  #catalogRefusal(response: RegistryResponse): JobFailure {
    const code = errorOf(response)?.code ?? "";
    if (!refusals.has(response.status) && code !== "UNSUPPORTED") return this.#access.refusal(catalog.list, response);
    const detail = [response.status, code].filter((part) => part !== "").join(" ");
    const message = `the registry does not let the worker list its repositories (${detail}); ${catalogRemedy}`;
    return new JobFailure("CATALOG_REFUSED", message, { retryable: false });
  }
}

/** A registry that gives the worker no token for the catalog may let it read repositories. */
function inCatalogWords(error: unknown): unknown {
  if (!(error instanceof JobFailure) || error.reason !== "REGISTRY_AUTH_REJECTED") return error;
  const { message, fault, closesType } = error;
  const hints = { fault, closesType, faultIfProbePasses: "job", cause: error } as const;
  return new JobFailure("CATALOG_REFUSED", `${message}; or ${catalogRemedy}`, { retryable: false, ...hints });
}
