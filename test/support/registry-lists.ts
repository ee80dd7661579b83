import type { RegistryCatalog } from "@drydock/scanner-worker/jobs/registry-catalog.ts";

interface Page<T> {
  items: readonly T[];
  next: string | undefined;
}

/** Reads a list to its end; each cursor goes through a text, as in a checkpoint. */
export async function readList<T>(page: (from: string | undefined) => Promise<Page<T>>): Promise<T[][]> {
  const pages: T[][] = [];
  let next: string | undefined;
  do {
    const found: Page<T> = await page(next);
    pages.push([...found.items]);
    next = found.next === undefined ? undefined : Buffer.from(found.next).toString();
  } while (next !== undefined);
  return pages;
}

/** All pages of the repositories of a registry. */
export function readRepositories(catalog: RegistryCatalog, signal: AbortSignal): Promise<string[][]> {
  return readList((from) => catalog.listRepositories(from, signal));
}

/** All pages of the tags of a repository. */
export function readTags(catalog: RegistryCatalog, repository: string, signal: AbortSignal): Promise<string[][]> {
  return readList(async (from) => {
    const { items, next } = await catalog.listTags(repository, from, signal);
    return { items: items.map(({ tag }) => tag), next };
  });
}
