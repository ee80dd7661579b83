import type { CatalogPage, ListedTag, ResolvedTag } from "../domain/registry-listing.ts";
import { HarborApi } from "./harbor-api.ts";
import { HarborCatalog } from "./harbor-catalog.ts";
import type { ManifestClient } from "./manifest-client.ts";
import { type PageCursor, readCursor } from "./page-cursor.ts";
import type { RegistryAccess } from "./registry-access.ts";
import { V2Catalog } from "./v2-catalog.ts";

/**
 * The repositories and tags of one registry, by Harbor's API where there is one that lets the worker in, else by the
 * registry's own. A list is read to its end by the API that it was begun with. It implements RegistryCatalog.
 */
export class CatalogClient {
  readonly url: string;
  readonly #harborApi: HarborApi;
  readonly #harbor: HarborCatalog;
  readonly #v2: V2Catalog;
  readonly #manifests: ManifestClient;

  constructor(access: RegistryAccess, manifests: ManifestClient) {
    this.url = access.url;
    this.#harborApi = new HarborApi(access);
    this.#harbor = new HarborCatalog(access, this.#harborApi);
    this.#v2 = new V2Catalog(access);
    this.#manifests = manifests;
  }

  /** @throws JobFailure CATALOG_REFUSED, LIST_INVALID; others, see docs/errors.md */
  async listRepositories(from: string | undefined, signal: AbortSignal): Promise<CatalogPage<string>> {
    const cursor = readCursor(from);
    const page = (await this.#isOfHarbor(cursor, signal)) && (await this.#harbor.listRepositories(cursor, signal));
    return page || (await this.#v2.listRepositories(cursor, signal));
  }

  /** @throws JobFailure LIST_INVALID; others, see docs/errors.md */
  async listTags(repository: string, from: string | undefined, signal: AbortSignal): Promise<CatalogPage<ListedTag>> {
    const cursor = readCursor(from);
    const page = (await this.#isOfHarbor(cursor, signal)) && (await this.#harbor.listTags(repository, cursor, signal));
    return page || (await this.#v2.listTags(repository, cursor, signal));
  }

  /** @throws JobFailure, see docs/errors.md */
  async resolveTag(repository: string, tag: string, signal: AbortSignal): Promise<ResolvedTag | undefined> {
    return await this.#manifests.resolve(repository, tag, signal);
  }

  async #isOfHarbor(cursor: PageCursor | undefined, signal: AbortSignal): Promise<boolean> {
    return cursor === undefined ? await this.#harborApi.isThere(signal) : cursor.by === "harbor";
  }
}
